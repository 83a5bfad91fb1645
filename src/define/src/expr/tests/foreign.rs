//! What people write who come from SQL.

use super::*;

#[test]
fn what_is_written_instead() {
    for (text, help) in [
        ("n is not null", "write `has(n)`"),
        ("n is null", "write `!has(n)`"),
        ("account.balance IS NOT NULL", "write `has(account.balance)`"),
        ("size(tags) is null", "write `!has(size(tags))`"),
        ("(n + 1) is null", "write `!has((n + 1))`"),
        ("type.startsWith('a') is true", "write `type.startsWith('a')`"),
        ("ok is true", "write `ok`"),
        ("ok is not true", "write `!ok`"),
        ("ok is false", "write `!ok`"),
        ("n is 5", "write `n == 5`"),
        ("n is not 5", "write `n != 5`"),
        ("n = 1", "write `==`"),
        ("n = null", "write `!has(x)`"),
        ("n <> 1", "write `!=`"),
        ("n <> null", "write `has(n)`"),
        ("n != null", "write `has(n)`"),
        ("n == NULL", "asks whether `x` is known"),
        ("ok == TRUE", "write `true`"),
        ("n >= 1 AND n <= 9", "write `&&`"),
        ("ok or n > 1", "write `||`"),
        ("not ok", "write `!`"),
        ("not (ok)", "write `!(…)`"),
        ("ok and not n > 1", "write `!`"),
        ("n IN (1, 2)", "write `n in [1, 2]`"),
        ("n in (1, 2)", "write `n in [1, 2]`"),
        ("n in (1)", "a list is written `[1, 2]`"),
        ("n not in (1, 2)", "write `!(n in [1, 2])`"),
        ("type not in ['a', 'b']", "write `!(type in ['a', 'b'])`"),
        ("type like 'a%'", "write `type.startsWith('a')`"),
        ("type LIKE '%a'", "write `type.endsWith('a')`"),
        ("type like '%a%'", "write `type.contains('a')`"),
        ("type like 'a'", "write `type == 'a'`"),
        ("type like 'a_c%'", "write `type.matches('^a.c.*$')`"),
        ("type not like 'a%'", "write `!type.startsWith('a')`"),
        ("type ilike 'a%'", "write `type.matches('(?i)^a.*$')`"),
        ("n between 1 and 5", "write `n >= 1 && n <= 5`"),
        ("n not between 1 and 5", "write `!(n >= 1 && n <= 5)`"),
        ("balance between -1.50 and account.balance", "write `balance >= -1.50 && balance <= account.balance`"),
        ("type contains 'a'", "write `type.contains('a')`"),
        ("type matches 'a.*'", "write `type.matches('a.*')`"),
        ("type ~ 'a.*'", "write `x.matches('regex')`"),
        ("n =< 5", "write `<=`"),
        ("case when n > 5 then 1 else 2 end", "write `a ? b : c`"),
        ("if(n > 5, 1, 2) > 1", "write `a ? b : c`"),
        ("isnull(n)", "write `!has(x)`"),
        ("ifnull(n, 0) > 1", "write `coalesce(x, y)`"),
        ("length(type) > 1", "write `size(x)`"),
        ("now() > due", "`now` is written without parentheses"),
        ("wait > interval '7 days'", "durations are written `7d`"),
        ("due > date '2026-01-01'", "timestamp('2026-03-02T09:00:00Z')"),
        ("cast(n as text) == '1'", "`string(x)`"),
        ("sum(n) > 1", "is a feature"),
        ("n gt 5", "write `>`"),
    ] {
        let said = mistakes_of(text, &mut names(), &Expected::Anything);
        assert!(said.contains(help), "{text}: {said}");
        assert!(!said.contains("an operator is missing"), "{text}: {said}");
    }
}

#[test]
fn all_of_it_is_said_at_once() {
    assert_eq!(
        mistakes_of("n is not null and not ok or type like 'a%'", &mut names(), &Expected::Condition),
        "[is not null] `is not null` means nothing here (write `has(n)`); [and] `and` means nothing here (write `&&`); \
         [not] `not` means nothing here (write `!`); [or] `or` means nothing here (write `||`); \
         [like 'a%'] `like 'a%'` means nothing here (write `type.startsWith('a')`)"
    );
}
