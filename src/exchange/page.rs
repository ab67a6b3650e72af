//! A page of the items of a stored response, as the API lists them.

use super::query;
use crate::error::{ApiError, Code, Number, Path};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// `?limit=20&order=desc&after=msg_1`
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    limit: usize,
    ascending: bool,
    after: Option<String>,
    before: Option<String>,
}

const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 100;

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: &'a [&'a RawValue],
    first_id: Option<&'a str>,
    last_id: Option<&'a str>,
    has_more: bool,
}

impl Page {
    /// Reads the query. Parameters that only other servers know change nothing.
    pub(super) fn of(query: &str) -> Result<Self, ApiError> {
        let mut page = Self { limit: DEFAULT_LIMIT, ascending: false, after: None, before: None };
        for (name, value) in query::parameters(query) {
            match name {
                "limit" => page.limit = limit(value)?,
                "order" => page.ascending = is_ascending(value)?,
                "after" => page.after = Some(value.to_owned()),
                "before" => page.before = Some(value.to_owned()),
                _ => {}
            }
        }
        Ok(page)
    }

    /// The page of a conversation, which is a JSON array of items.
    pub(super) fn of_items(&self, items: &RawValue) -> Result<Vec<u8>, ApiError> {
        let items: Vec<&RawValue> = serde_json::from_str(items.get()).unwrap_or_default();
        let mut items: Vec<_> = items.into_iter().map(|item| (id(item), item)).collect();
        if !self.ascending {
            items.reverse();
        }
        // A client may repeat an id. After its last place the pages come to an end.
        let begin = match &self.after {
            None => 0,
            Some(id) => 1 + items.iter().rposition(|item| item.0 == *id).ok_or_else(|| not_found(id))?,
        };
        let end = match &self.before {
            None => items.len(),
            Some(id) => items.iter().position(|item| item.0 == *id).ok_or_else(|| not_found(id))?,
        };
        let rest = items.get(begin..end).unwrap_or_default();
        let shown = rest.get(..self.limit).unwrap_or(rest);
        let data: Vec<_> = shown.iter().map(|(_, item)| *item).collect();
        let list = List {
            object: "list",
            data: &data,
            first_id: shown.first().map(|(id, _)| id.as_str()),
            last_id: shown.last().map(|(id, _)| id.as_str()),
            has_more: shown.len() < rest.len(),
        };
        Ok(serde_json::to_vec(&list).unwrap_or_default())
    }
}

fn limit(value: &str) -> Result<usize, ApiError> {
    let path = Path::top("limit");
    match value.parse() {
        Ok(0) => Err(ApiError::below_minimum(path, Number::Integer, 1, value)),
        Ok(limit) if limit <= MAX_LIMIT => Ok(limit),
        Ok(_) => Err(ApiError::above_maximum(path, Number::Integer, MAX_LIMIT, value)),
        Err(_) => Err(ApiError::wrong_type(path, "an integer", "a string")),
    }
}

fn is_ascending(value: &str) -> Result<bool, ApiError> {
    match value {
        "asc" => Ok(true),
        "desc" => Ok(false),
        other => Err(ApiError::wrong_value(Path::top("order"), other, &["asc", "desc"])),
    }
}

fn id(item: &RawValue) -> String {
    #[derive(Deserialize)]
    struct Item {
        id: String,
    }
    serde_json::from_str::<Item>(item.get()).map(|item| item.id).unwrap_or_default()
}

fn not_found(id: &str) -> ApiError {
    ApiError::of(Code::ResponseNotFound, format!("Item with id '{id}' not found."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// The ids on a page of five items, and whether there are more.
    fn page(query: &str) -> Result<(Vec<String>, bool), String> {
        let items = (1..=5).map(|number| json!({"id": format!("m{number}")})).collect::<Value>();
        let items = RawValue::from_string(items.to_string()).unwrap();
        let body = Page::of(query).and_then(|page| page.of_items(&items)).map_err(|error| error.message)?;
        let list: Value = serde_json::from_slice(&body).unwrap();
        let ids: Vec<_> = list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(list["object"], "list");
        assert_eq!(list["first_id"].as_str(), ids.first().map(String::as_str));
        assert_eq!(list["last_id"].as_str(), ids.last().map(String::as_str));
        Ok((ids, list["has_more"].as_bool().unwrap()))
    }

    #[test]
    fn pages_are_those_of_the_api() {
        for (query, ids, more) in [
            ("", "m5 m4 m3 m2 m1", false),
            ("order=asc", "m1 m2 m3 m4 m5", false),
            ("limit=2", "m5 m4", true),
            ("limit=2&order=asc&after=m2", "m3 m4", true),
            ("limit=2&after=m3&include[]=x&other", "m2 m1", false),
            ("limit=2&after=m2", "m1", false),
            ("after=m1", "", false),
            ("order=asc&before=m3", "m1 m2", false),
            ("order=asc&after=m3&before=m2", "", false),
            ("limit=100", "m5 m4 m3 m2 m1", false),
        ] {
            let (found, has_more) = page(query).unwrap();
            assert_eq!((found.join(" "), has_more), (ids.to_owned(), more), "{query}");
        }
    }

    #[test]
    fn pages_of_repeated_ids_come_to_an_end() {
        let items =
            RawValue::from_string(json!([{"id": "a"}, {"id": "a"}, {"id": "a"}]).to_string()).unwrap();
        let page = Page::of("limit=1&order=asc&after=a").unwrap().of_items(&items).unwrap();
        let list: Value = serde_json::from_slice(&page).unwrap();
        assert_eq!((&list["data"], &list["has_more"]), (&json!([]), &json!(false)));
    }

    #[test]
    fn a_wrong_parameter_is_named() {
        for (query, words) in [
            ("limit=0", "'limit'"),
            ("limit=101", "'limit'"),
            ("limit=x", "'limit'"),
            ("order=up", "'up'"),
            ("after=m9", "'m9'"),
            ("before=m9", "'m9'"),
        ] {
            let error = page(query).unwrap_err();
            assert!(error.contains(words), "{query}: {error}");
        }
    }
}
