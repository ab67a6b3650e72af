//! Held headers whose body never comes.

use super::*;

#[test]
fn the_watchdog_lets_held_headers_go_once_and_only_while_nothing_came() {
    let mut driven = Driven::posted(HELD);
    assert!(driven.exchange.on_watchdog());
    assert!(!driven.exchange.on_watchdog());
    assert_eq!(driven.counted(), ["watchdog_resumes"]);

    let mut driven = Driven::posted(HELD);
    driven.exchange.on_request_body(b"x", false, NOW);
    assert!(!driven.exchange.on_watchdog());
    assert!(!Driven::posted("{}").exchange.on_watchdog());
    assert!(!Driven::new(HELD).exchange.on_watchdog());
}

#[test]
fn the_watchdog_finds_the_overdue_until_a_body_proves_the_setting() {
    let at = Duration::from_millis;
    let mut watchdog = Watchdog::default();
    watchdog.watch(1, "one", at(0));
    watchdog.watch(2, "two", at(1000));
    watchdog.watch(3, "three", at(0));
    watchdog.forget(3);
    assert_eq!(watchdog.overdue(at(1999)), []);
    assert_eq!(watchdog.overdue(at(2000)), [(1, "one")]);
    assert_eq!(watchdog.overdue(at(2000)), []);
    // The request was released before its body arrived. That does not prove that Envoy cannot hold headers.
    watchdog.body_came(1);
    assert_eq!(watchdog.overdue(at(3000)), [(2, "two")]);
    watchdog.watch(4, "four", at(3000));
    watchdog.watch(5, "five", at(3000));
    watchdog.body_came(4);
    watchdog.watch(6, "six", at(3000));
    assert_eq!(watchdog.overdue(at(9000)), []);
}
