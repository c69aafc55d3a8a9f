//! The order in which people number files: `frame9.png` comes before `frame10.png`.

use std::cmp::Ordering;

/// Compares names run by run: digits as numbers of any length, everything else as text.
pub fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut a_rest, mut b_rest) = (a, b);
    while !a_rest.is_empty() && !b_rest.is_empty() {
        let (a_run, a_next) = split_run(a_rest);
        let (b_run, b_next) = split_run(b_rest);
        let order = match (is_number(a_run), is_number(b_run)) {
            (true, true) => compare_numbers(a_run, b_run),
            _ => a_run.cmp(b_run),
        };
        if order.is_ne() {
            return order;
        }
        (a_rest, b_rest) = (a_next, b_next);
    }
    // `1.png` and `01.png` are the same number; their text still gives them an order.
    a_rest.len().cmp(&b_rest.len()).then_with(|| a.cmp(b))
}

fn is_number(run: &str) -> bool {
    run.starts_with(|c: char| c.is_ascii_digit())
}

fn split_run(text: &str) -> (&str, &str) {
    let number = is_number(text);
    let end = text.find(|c: char| c.is_ascii_digit() != number).unwrap_or(text.len());
    text.split_at(end)
}

/// Compares without reading the digits into an integer, which a long name could overflow.
fn compare_numbers(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(mut names: Vec<&str>) -> Vec<&str> {
        names.sort_by(|a, b| natural_order(a, b));
        names
    }

    #[test]
    fn numbers_in_names_are_ordered_by_value() {
        assert_eq!(sorted(vec!["f10.png", "f9.png", "f1.png"]), ["f1.png", "f9.png", "f10.png"]);
        assert_eq!(sorted(vec!["s2_f1", "s10_f0", "s2_f0"]), ["s2_f0", "s2_f1", "s10_f0"]);
    }

    #[test]
    fn leading_zeros_do_not_change_a_number() {
        assert_eq!(sorted(vec!["010", "9", "0011"]), ["9", "010", "0011"]);
    }

    #[test]
    fn numbers_too_long_for_any_integer_are_still_ordered() {
        let (long, longer) = ("9".repeat(60), format!("1{}", "0".repeat(60)));
        assert_eq!(natural_order(&long, &longer), Ordering::Less);
    }

    #[test]
    fn different_names_are_never_equal() {
        assert_eq!(natural_order("a1", "a1"), Ordering::Equal);
        assert_ne!(natural_order("a1", "a01"), Ordering::Equal);
        assert_eq!(natural_order("a", "a1"), Ordering::Less);
    }
}
