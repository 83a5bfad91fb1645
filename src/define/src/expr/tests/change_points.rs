//! When expressions turn, against looking at every instant.

use super::*;

#[test]
fn turns_are_never_missed() {
    let conditions = [
        "now >= seen",
        "now > seen",
        "now < seen",
        "now <= seen",
        "now == seen",
        "now != seen",
        "seen >= now",
        "seen > now",
        "now - seen >= 5ms",
        "seen - now < 5ms",
        "now > seen + 3ms",
        "now - seen > due - seen",
        "-(seen - now) < wait",
        "now - seen >= 5ms && now - seen < 9ms",
        "now - seen >= 5ms || due - now <= 2ms",
        "!(now - seen >= 5ms) && due > now",
        "now - 3ms - seen < wait - 1ms",
        "(now >= seen ? 1 : 2) == 1",
        "now >= seen + 1ms * n",
    ];
    for text in conditions {
        let expr = compiled(text);
        assert!(expr.depends_on_now());
        for (seen, due, wait) in [(10, 20, 5), (0, 0, 0), (-7, 3, 30), (12, 11, -4)] {
            let mut row = row();
            (row[6], row[7], row[8]) = (Value::Time(due), Value::Time(seen), Value::Duration(wait));
            let at = |now| expr.holds(&Env::of(&row, now));
            for now in 0..60 {
                let next = expr.next_change_point(&Env::of(&row, now));
                assert!(next.is_none_or(|next| next > now), "{text}");
                let changes = (now + 1..60).find(|&later| at(later) != at(now));
                if let Some(changes) = changes {
                    assert!(next.is_some_and(|next| next <= changes), "{text}: {next:?}, {changes}");
                }
            }
            assert_eq!(expr.next_change_point(&Env::of(&row, 100)), None, "{text}");
        }
        let nulls = vec![Value::Null; 18];
        assert_eq!(expr.next_change_point(&Env::of(&nulls, 0)), None, "{text}");
        assert!(!expr.holds(&Env::of(&nulls, 0)) || text.contains('!') || text.contains('?'), "{text}");
    }
}

#[test]
fn instants_beyond_what_a_time_can_hold_do_not_overflow() {
    let expr = compiled("now - seen >= wait");
    let mut row = row();
    (row[7], row[8]) = (Value::Time(i64::MAX), Value::Duration(i64::MAX));
    assert_eq!(expr.next_change_point(&Env::of(&row, 5)), Some(u64::MAX - 1));
    (row[7], row[8]) = (Value::Time(i64::MIN), Value::Duration(i64::MIN));
    assert_eq!(expr.next_change_point(&Env::of(&row, 5)), None);
    assert!(expr.holds(&Env::of(&row, 5)));
}
