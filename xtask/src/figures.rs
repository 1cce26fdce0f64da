//! What the recorded calls of one command amount to.
use crate::proxy::Call;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Number of calls.
pub(crate) fn count(calls: &[Call]) -> usize {
    calls.len()
}

/// The longest chain of calls of which each began after the one before had ended.
pub(crate) fn critical_path(calls: &[Call]) -> usize {
    // Always the call that ends first among those that begin late enough: no chain is longer.
    let mut by_end: Vec<&Call> = calls.iter().collect();
    by_end.sort_by_key(|call| call.ended);
    let mut free: Option<Instant> = None;
    let mut length = 0;
    for call in by_end {
        if free.is_none_or(|free| call.began >= free) {
            length += 1;
            free = Some(call.ended);
        }
    }
    length
}

/// For how long at least one call was under way.
pub(crate) fn on_the_wire(calls: &[Call]) -> Duration {
    let mut by_start: Vec<&Call> = calls.iter().collect();
    by_start.sort_by_key(|call| call.began);
    let mut total = Duration::ZERO;
    let mut until: Option<Instant> = None;
    for call in by_start {
        let from = until.map_or(call.began, |until| until.max(call.began));
        total += call.ended.saturating_duration_since(from);
        until = Some(until.map_or(call.ended, |until| until.max(call.ended)));
    }
    total
}

/// How often each operation was called, most often first.
pub(crate) fn by_operation(calls: &[Call]) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for call in calls {
        *counts.entry(call.operation.clone()).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(times: &[(u64, u64)]) -> Vec<Call> {
        let zero = Instant::now();
        let at = |ms| zero + Duration::from_millis(ms);
        times.iter().map(|(b, e)| Call { operation: "a:B".into(), began: at(*b), ended: at(*e) }).collect()
    }

    #[test]
    fn the_critical_path_is_the_longest_chain() {
        assert_eq!(critical_path(&[]), 0);
        assert_eq!(critical_path(&calls(&[(0, 50), (0, 60), (1, 55)])), 1);
        assert_eq!(critical_path(&calls(&[(0, 50), (50, 100), (100, 150)])), 3);
        // One long call beside three short ones.
        assert_eq!(critical_path(&calls(&[(0, 500), (0, 50), (60, 110), (120, 170), (510, 520)])), 4);
    }

    #[test]
    fn overlapping_calls_count_once_for_the_wire() {
        assert_eq!(on_the_wire(&[]), Duration::ZERO);
        let all = calls(&[(0, 50), (20, 70), (30, 40), (100, 150)]);
        assert_eq!(on_the_wire(&all), Duration::from_millis(120));
        assert_eq!(by_operation(&all), [("a:B".to_owned(), 4)]);
        assert_eq!(count(&all), 4);
    }
}
