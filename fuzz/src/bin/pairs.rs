//! Tries all pairs of known deviations: `pairs [COUNT [FIRST]]`. The cases are numbered; `pairs 1 NUMBER` repeats one.

use libfuzzer_sys as _; // The build counts what a run reached, for which the linker wants a counter.
use std::collections::BTreeMap;
use std::process::ExitCode;
use transponder_fuzz::deviations;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|number| number.parse().expect("a number"));
    let (count, first) = (arguments.next().unwrap_or(200_000), arguments.next().unwrap_or(0));
    let pairs = deviations::pairs();
    std::panic::set_hook(Box::new(|_| {}));
    let mut faults: BTreeMap<[&str; 2], (usize, String)> = BTreeMap::new();
    for number in first..first + count {
        if let Err(fault) = deviations::try_case(&pairs, number) {
            let pair = pairs[number % pairs.len()].map(|deviation| deviation.name);
            faults.entry(pair).or_insert((0, fault)).0 += 1;
        }
    }
    for (cases, fault) in faults.values() {
        eprintln!("{cases} times, first in {fault}\n");
    }
    let cases: usize = faults.values().map(|(cases, _)| cases).sum();
    println!("{count} cases of {} pairs: {cases} failed, in {} pairs", pairs.len(), faults.len());
    if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
