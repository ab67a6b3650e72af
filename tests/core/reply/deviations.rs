//! Pairs of known deviations, from the same table as `make fuzz`, which tries more cases of each.

use crate::deviations::{self, table};
use std::collections::BTreeSet;

/// Every third pair. Each deviation is in many of them.
const STEP: usize = 3;

#[test]
fn pairs_of_deviations_are_read_as_they_are_meant() {
    let pairs = deviations::pairs();
    assert!(pairs.len() > 2000, "{} pairs", pairs.len());
    let numbers = (0..pairs.len()).step_by(STEP);
    let faults: Vec<String> =
        numbers.filter_map(|number| deviations::try_case(&pairs, number).err()).collect();
    assert!(faults.is_empty(), "{}, among them: {}", faults.len(), faults[0]);
}

#[test]
fn deviations_and_contradictions_are_named_as_they_are() {
    let all = table::all();
    let names: BTreeSet<&str> = all.iter().map(|deviation| deviation.name).collect();
    assert_eq!(names.len(), all.len(), "each has a name of its own");
    for (pair, reason) in table::CONTRADICTIONS {
        let found = all.iter().filter(|deviation| pair.contains(&deviation.name));
        assert_eq!((found.count(), pair.len()), (2, 2), "{pair:?}: {reason}");
    }
}

/// The rows of the page without a generator, with reasons.
const WITHOUT_GENERATOR: &[(&str, &str)] = &[
    ("Context overflow in other words", "an error before the reply: tests/core/reports/errors.rs"),
    (
        "The retry delay of a 429 is only in the body",
        "an error before the reply: tests/core/reports/errors.rs",
    ),
    ("Arrays without `items`, schemas that are `true`, `required` without a property", "of the request"),
    ("Keywords with a value of the wrong type, such as `\"properties\": []`", "of the request"),
    ("A response schema rules out calls", "of the request"),
    ("`true` or `false` as the schema of a property or of `items`", "of the request"),
    ("Tool calls beside text are lost", "of the request"),
    ("Images for a text-only model end the session", "of the request"),
    ("The name in `tool_choice` is ignored", "of the request"),
    ("`tool_choice` takes no name, or is ignored", "of the request"),
    ("Call ids with a meaning", "of the request"),
    (
        "Arguments that do not begin as an object: a string, a number, a list, `true`, or no JSON",
        "a fault of the model: tests/core/reply/arguments.rs",
    ),
    (
        "A stream is cut and ends with `[DONE]`, but without a finish reason",
        "each case is cut anywhere; the mark after it: tests/core/reply/sse.rs",
    ),
    (
        "Calls that the upstream's parser leaves in the text",
        "the client gets the text as it is: tests/core/reply/text_calls.rs",
    ),
    ("Calls as JSON without markup", "each case is cut anywhere: src/markup/tests.rs"),
    ("An argument in tags without its closing tag", "each case is cut anywhere: src/markup/tests.rs"),
    ("A call in the reasoning", "a fault of the model: tests/core/reply/text_calls.rs"),
    ("The same call in the text and in `tool_calls`", "of the option: tests/core/reply/text_calls.rs"),
    (
        "Calls in markup with a mistake: an escape, a line end or a comma that JSON does not allow, a missing bracket, arguments in another form",
        "a fault of the model: src/markup/tests.rs",
    ),
    ("Markup in backticks or a code fence", "each case is cut anywhere: src/markup/tests.rs"),
    (
        "The token limit cuts a call whose opening tag stays in the text, or of which nothing is left",
        "each case is cut anywhere; what is counted: tests/core/reply/text_calls.rs",
    ),
];

#[test]
fn each_known_deviation_has_a_generator() {
    let page = include_str!("../../../docs/upstreams.md");
    let (_, section) = page.split_once("\n## Known deviations\n").unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| ")).skip(1);
    let rows: BTreeSet<&str> =
        rows.map(|row| row.split(" | ").next().unwrap().trim_start_matches("| ")).collect();
    let generated = table::all().into_iter().map(|deviation| deviation.row).filter(|row| !row.is_empty());
    let known: BTreeSet<&str> = generated.chain(WITHOUT_GENERATOR.iter().map(|(row, _)| *row)).collect();
    let (missing, past): (Vec<_>, Vec<_>) =
        (rows.difference(&known).collect(), known.difference(&rows).collect());
    assert!(
        missing.is_empty() && past.is_empty(),
        "without a generator: {missing:#?}, not on the page: {past:#?}"
    );
}
