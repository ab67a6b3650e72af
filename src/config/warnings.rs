//! Settings that are valid but have no effect.

use super::{Config, RawConfig, Store, Upstream, matches};

/// One sentence for each such setting.
pub(super) fn of(config: &Config) -> Vec<String> {
    let mut warnings = never_applied(config);
    if !config.hold_request_headers {
        let held = "; what depends on the model needs `\"hold_request_headers\": true`";
        warnings.extend(unused_before_body(config).into_iter().map(|warning| warning + held));
    }
    let names_owner = config.owner_header != RawConfig::default().owner_header;
    // A search engine does not get it.
    if names_owner && config.store == Store::Off && config.search.is_none() {
        warnings.push(format!("owner_header: `{}` is not used without `store`", config.owner_header));
    }
    warnings
}

/// The rules whose models an earlier one has all taken. A pattern that matches another one's text matches all that
/// the other does.
fn never_applied(config: &Config) -> Vec<String> {
    let rules = config.models.iter().enumerate();
    let taken = rules.filter_map(|(index, rule)| {
        let mut earlier = config.models.iter().take(index);
        let first = earlier.position(|earlier| matches(&earlier.pattern, &rule.pattern))?;
        Some(format!("models[{index}]: it never applies, because models[{first}] matches the same models"))
    });
    taken.collect()
}

/// What depends on the model, which is not known when the headers are sent.
fn unused_before_body(config: &Config) -> Vec<String> {
    let rules = config.models.iter().enumerate();
    let of_rules = rules.flat_map(|(index, rule)| {
        let path = rule.upstream.as_ref().and_then(Upstream::path);
        let other = path.filter(|path| Some(*path) != config.path_before_body()).map(|path| {
            format!("models[{index}].upstream: its path `{path}` is not used, requests go to the top-level upstream's")
        });
        let route = rule.route.as_ref();
        [other, route.map(|route| format!("models[{index}].route: `{route}` is not used"))]
    });
    let search = config.search.as_ref().and_then(|search| search.route.as_ref());
    let search = search.map(|route| format!("search.route: `{route}` is not used"));
    of_rules.flatten().chain(search).collect()
}
