//! The host's numbers of the series, found by where a series stands among all: an exchange records a dozen, and to
//! write the name of each would cost more than the rest of the recording.

use super::{METRICS, Metric};

/// The host's number of each series, by metric.
#[derive(Debug, Default)]
pub struct Series(Vec<Numbered>);

/// The series of one metric.
#[derive(Debug)]
struct Numbered {
    /// The values of each label.
    values: Vec<Vec<&'static str>>,
    /// In the order of [`Metric::combinations`]. The host may have refused one.
    numbers: Vec<Option<u32>>,
}

impl Series {
    /// Asks for the number of every series there is, given its metric and its name.
    pub fn define(
        presets: &[&'static str],
        mut number: impl FnMut(&'static Metric, &str) -> Option<u32>,
    ) -> Self {
        let mut numbered = |metric: &&'static Metric| Numbered {
            values: metric.labels.iter().map(|label| label.all(presets)).collect(),
            numbers: metric
                .combinations(presets)
                .iter()
                .map(|labels| number(metric, &metric.series(labels)))
                .collect(),
        };
        Self(METRICS.iter().map(&mut numbered).collect())
    }

    /// The number of a series.
    pub fn number(&self, metric: &Metric, labels: &[&str]) -> Option<u32> {
        let at = METRICS.iter().position(|known| std::ptr::eq(*known, metric))?;
        let Numbered { values, numbers } = self.0.get(at)?;
        let (mut place, mut step) = (0, 1);
        for ((label, known), value) in metric.labels.iter().zip(values).zip(labels) {
            let value = label.known(value);
            place += step * known.iter().position(|known| *known == value)?;
            step *= known.len();
        }
        *numbers.get(place)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{EXCHANGES, OTHER, PASSED, REFUSALS, TOKENS};
    use std::collections::BTreeMap;

    #[test]
    fn each_series_has_the_number_of_its_name() {
        let presets = ["vllm", "tgi"];
        let mut names = BTreeMap::new();
        let series = Series::define(&presets, |_, name| {
            let number = u32::try_from(names.len()).unwrap();
            names.insert(name.to_owned(), number);
            Some(number)
        });
        for metric in METRICS {
            for labels in metric.combinations(&presets) {
                let name = metric.series(&labels);
                assert_eq!(series.number(metric, &labels), Some(names[&name]), "{name}");
            }
        }
        assert_eq!(series.number(&REFUSALS, &["new"]), series.number(&REFUSALS, &[OTHER]));
    }

    #[test]
    fn a_preset_that_is_not_configured_has_no_series() {
        let series = Series::define(&["vllm"], |metric, _| (metric.name != PASSED.name).then_some(1));
        assert_eq!(series.number(&EXCHANGES, &["cut", "tgi"]), None);
        assert_eq!(series.number(&TOKENS, &["input", "vllm"]), Some(1));
        assert_eq!(series.number(&PASSED, &[]), None);
    }
}
