//! What is said of expressions that are wrong, and at which place.

use super::*;

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn mistakes() {
    let table = [
        // Texts that are no expressions.
        ("", "[] the expression is empty"),
        ("  ", "[  ] the expression is empty"),
        ("n >", "[] the expression ends too early (something is missing behind `>`)"),
        ("n > > 1", "[>] `>` is not expected here"),
        ("n = 1", "[=] `=` means nothing here (write `==`)"),
        ("n > 1 & ok", "[&] `&` means nothing here (write `&&`)"),
        ("n > 1 and ok", "[and] `and` means nothing here (write `&&`)"),
        ("not ok", "[not] `not` means nothing here (write `!`)"),
        ("n <> 1", "[<>] `<>` means nothing here (write `!=`)"),
        ("(n > 1", "[(] `(` is never closed (add `)`)"),
        ("n > 1)", "[)] `)` closes nothing"),
        ("[n)", "[)] `]` is expected here, not `)`"),
        ("type == 'OWNER", "['OWNER] the text does not end (close it with `'`)"),
        (
            "type == ‘OWNER’",
            "[‘] `‘` means nothing here (write straight quotes: `'…'`); [’] `’` means nothing here (write straight quotes: `'…'`)",
        ),
        (
            "type == 'a\\q'",
            "[\\q] an unknown escape in a text (a backslash is written `\\\\`, or `r'…'` around the text)",
        ),
        (
            "n > 5x",
            "[5x] `5x` is neither a number nor a duration (numbers are written `12` or `1.50`, durations `500ms`, `30s`, `10m`, `48h`, `7d`, `2w` or `1d12h`)",
        ),
        ("n > 5u", "[5u] unsigned numbers are not supported (write `5`)"),
        (
            "wait > 500y",
            "[500y] `500y` is neither a number nor a duration (numbers are written `12` or `1.50`, durations `500ms`, `30s`, `10m`, `48h`, `7d`, `2w` or `1d12h`)",
        ),
        ("wait > 101000w", "[101000w] the duration is too long (a duration is at most 100 years)"),
        ("n > 99999999999999999999", "[99999999999999999999] the number is too large (an int has 64 bit)"),
        ("n # 1", "[#] `#` means nothing here"),
        ("n ok", "[ok] `ok` is not expected here (an operator is missing before it)"),
        ("n ? 1", "[] the expression ends too early (a conditional is written `a ? b : c`)"),
        ("1.5.5", "[.5] `.5` is not expected here (an operator is missing before it)"),
        ("type == b'x'", "[b'x'] bytes are not supported (write a text: `'…'`)"),
        ("{'a': 1}", "[{] a map or message is not supported in expressions (docs/packs.md lists what is)"),
        ("Thing{a: 1}", "[{] a map or message is not supported in expressions (docs/packs.md lists what is)"),
        ("tags[0] == 'a'", "[tags[0]] an index is not supported in expressions (docs/packs.md lists what is)"),
        (
            "tags.exists(t, t == 'a')",
            "[exists] `exists` is not supported (`x in list` asks whether a list has a value, `size(list)` how many it has)",
        ),
        (
            "tags.map(t, t)",
            "[map] `map` is not supported (`x in list` asks whether a list has a value, `size(list)` how many it has)",
        ),
        ("account.?balance > 1", "[.] `?` means nothing here (`coalesce(x, y)` is `y` where `x` is null)"),
        ("min(n, )", "[)] `)` is not expected here"),
        ("n > 5 7d", "[7d] `7d` is not expected here (an operator is missing before it)"),
        ("ok ? n", "[] the expression ends too early (a conditional is written `a ? b : c`)"),
        ("type == 'é' && tpye == 'é'", "[tpye] unknown name `tpye` (did you mean `type`?)"),
        ("n > 1 && (blance > 0", "[(] `(` is never closed (add `)`)"),
        (
            "n\n> 5\n&& m > 1",
            "[m] unknown name `m` (known are `n`, `count`, `balance`, `rate`, `ok`, `type`, `due`, `seen`, …)",
        ),
        ("count in [1, null]", "[null] `null` cannot be used like this (`has(x)` asks whether `x` is known)"),
        (
            "n == 5 && ((ok)) && 5 != n",
            "[5 != n] `n == 5` and `5 != n` are never true together (write `||` when one of them is enough)",
        ),
        (
            "n > 5 && n == 5",
            "[n == 5] `n > 5` and `n == 5` are never true together (write `||` when one of them is enough)",
        ),
        (
            "n == 5 && n > 5",
            "[n > 5] `n == 5` and `n > 5` are never true together (write `||` when one of them is enough)",
        ),
        (
            "n == 5 && n < 6 && n >= 6",
            "[n >= 6] `n == 5` and `n >= 6` are never true together (write `||` when one of them is enough)",
        ),
        // Names.
        ("blance > 0", "[blance] unknown name `blance` (did you mean `balance`?)"),
        ("acount.balance > 0.00", "[acount.balance] unknown name `acount.balance` (did you mean `account.balance`?)"),
        (
            "zzz > 0",
            "[zzz] unknown name `zzz` (known are `n`, `count`, `balance`, `rate`, `ok`, `type`, `due`, `seen`, …)",
        ),
        (
            "n.x > 0",
            "[n.x] unknown name `n.x` (known are `n`, `count`, `balance`, `rate`, `ok`, `type`, `due`, `seen`, …)",
        ),
        (
            "(n + 1).x > 0",
            "[(n + 1).x] a field of a value is not supported in expressions (docs/packs.md lists what is)",
        ),
        ("type.startswith('a')", "[startswith] unknown function `startswith` (did you mean `x.startsWith(y)`?)"),
        ("absolute(n) > 1", "[absolute] unknown function `absolute` (did you mean `abs(x)`?)"),
        ("frobnicate(n) > 1", "[frobnicate] unknown function `frobnicate` (docs/packs.md lists the functions)"),
        (
            "startsWith(type, 'a')",
            "[startsWith(type, 'a')] `startsWith` is not called like this (it is written `x.startsWith(y)`)",
        ),
        ("n.abs() > 1", "[n.abs()] `abs` is not called like this (it is written `abs(x)`)"),
        ("min(n) > 1", "[min(n)] `min` is not called like this (it is written `min(x, y)`)"),
        (
            "blance > 0 && tipe == 'x'",
            "[blance] unknown name `blance` (did you mean `balance`?); [tipe] unknown name `tipe` (did you mean `type`?)",
        ),
        // Types.
        ("n == 'x'", "[n == 'x'] an int cannot be compared with a text (numbers are written without quotes)"),
        ("type > 5", "[type > 5] a text cannot be compared with an int (texts are written in quotes)"),
        ("balance > rate", "[balance > rate] decimal and float do not mix (`double(x)` makes a float of a decimal)"),
        ("balance + rate", "[balance + rate] decimal and float do not mix (`double(x)` makes a float of a decimal)"),
        (
            "due > '2026-03-02'",
            "[due > '2026-03-02'] a time cannot be compared with a text (times are written `timestamp('2026-03-02T09:00:00Z')`)",
        ),
        ("wait > 5", "[wait > 5] a duration cannot be compared with an int (durations are written `7d`, `48h`, `10m`)"),
        (
            "due - seen > 5",
            "[due - seen > 5] a duration cannot be compared with an int (durations are written `7d`, `48h`, `10m`)",
        ),
        (
            "due > 7d",
            "[due > 7d] a time cannot be compared with a duration (a span of time is the difference of two times, as in `now - x < 7d`)",
        ),
        ("ok == 1", "[ok == 1] a bool cannot be compared with an int (use the condition itself, or `!` before it)"),
        (
            "who == account.id",
            "[who == account.id] an id(customer) cannot be compared with an id(account) (they are ids of different kinds)",
        ),
        ("who == type", "[who == type] an id(customer) cannot be compared with a text"),
        (
            "tags == 'a'",
            "[tags == 'a'] a list of text cannot be compared with a text (`x in list` asks whether a list has a value)",
        ),
        ("tags > tags", "[tags > tags] lists have no order (`size(x)` is how many values a list has)"),
        (
            "tags < amounts",
            "[tags < amounts] a list of text cannot be compared with a list of decimal(2) (`x in list` asks whether a list has a value)",
        ),
        ("ok + 1", "[ok + 1] `bool + int` means nothing"),
        ("type + 1", "[type + 1] `text + int` means nothing (`string(x)` makes a text of a value)"),
        ("due + due", "[due + due] `time + time` means nothing (times can be subtracted, not added)"),
        ("due + 1", "[due + 1] `time + int` means nothing (durations are written `7d`, `48h`, `10m`)"),
        ("rate % 2", "[rate % 2] `float % int` means nothing (it takes two ints)"),
        ("-type", "[-type] `-` takes a number or a duration, not a text"),
        ("!n", "[n] a condition is expected here, not an int (compare it: `n > 0`)"),
        ("n && ok", "[n] a condition is expected here, not an int (compare it: `n > 0`)"),
        ("type || ok", "[type] a condition is expected here, not a text (compare it: `type == '…'`)"),
        ("n ? 1 : 2", "[n] a condition is expected here, not an int (compare it: `n > 0`)"),
        ("ok ? 1 : 'a'", "[ok ? 1 : 'a'] the branches are of two types, int and text"),
        ("ok ? null : null", "[ok ? null : null] both branches are `null`"),
        ("null", "[null] `null` cannot be used like this (`has(x)` asks whether `x` is known)"),
        ("n + null", "[null] `null` cannot be used like this (`has(x)` asks whether `x` is known)"),
        ("n in 'abc'", "['abc'] `in` needs a list, not a text (`x.contains(y)` asks whether a text contains another)"),
        (
            "type in 'abc'",
            "['abc'] `in` needs a list, not a text (`x.contains(y)` asks whether a text contains another)",
        ),
        ("n in ['a', 1]", "['a'] an int cannot be compared with a text (numbers are written without quotes)"),
        ("n in tags", "[n in tags] an int cannot be compared with a text"),
        ("fine in amounts", "[fine in amounts] a decimal(4) is never in a list of decimal(2)"),
        ("[n, 'a']", "['a'] the elements are of two types, int and text"),
        ("[[n]]", "[[[n]]] a list of lists is not supported"),
        ("[]", "[[]] an empty list has no type"),
        ("tags.contains('a')", "[tags.contains('a')] `contains` is for texts (write `'a' in tags`)"),
        ("n.contains('a')", "[n] `contains` takes texts, not an int"),
        ("size(n)", "[n] `size` takes a text or a list, not an int"),
        ("abs(type)", "[type] `abs` takes a number or a duration, not a text"),
        ("min(n, type)", "[min(n, type)] `min` of two types, int and text"),
        ("min(tags, tags)", "[tags] `min` takes two values that have an order, not a list of text"),
        ("int(ok)", "[ok] `int` takes a number or a text, not a bool"),
        ("string(tags)", "[tags] `string` takes one value, not a list of text"),
        ("type.matches(type)", "[type] the pattern has to be a literal (it is compiled when the pack is loaded)"),
        ("type.matches('(')", "['('] the pattern is wrong: unclosed group"),
        ("type.matches('.{1000}{1000}')", "['.{1000}{1000}'] the pattern is too large"),
        ("duration('x') > wait", "['x'] `x` is not a duration (write a text such as '48h' or '1d12h')"),
        ("duration(type) > wait", "[type] `duration` takes a text such as '48h' or '1d12h' (it has to be a literal)"),
        (
            "timestamp('yesterday') > due",
            "['yesterday'] `yesterday` is not a time (a time is written `timestamp('2026-03-02T09:00:00Z')`)",
        ),
        (
            "due.getHours('Europe/Pariss') > 1",
            "['Europe/Pariss'] unknown time zone `Europe/Pariss` (use a name of the IANA database, such as 'Europe/Paris')",
        ),
        ("due.getHours(type) > 1", "[type] the zone has to be a literal (such as 'Europe/Paris')"),
        ("n.getHours() > 1", "[n] `getHours` takes a time, not an int"),
        (
            "fine * fine * fine * fine * fine",
            "[fine * fine * fine * fine * fine] the product would have 20 decimals (a decimal has at most 18; `double(x)` computes with floats)",
        ),
        // Never, or always.
        ("n == null", "[n == null] a comparison with `null` is always false (write `!has(n)`)"),
        ("null != n", "[null != n] a comparison with `null` is always false (write `has(n)`)"),
        ("n < null", "[n < null] a comparison with `null` is always false (`has(x)` asks whether `x` is known)"),
        ("1 < 2", "[1 < 2] this comparison is always true (compare with a name)"),
        ("'a' == 'b'", "['a' == 'b'] this comparison is always false (compare with a name)"),
        ("1 + 1 == 2 && ok", "[1 + 1 == 2] this comparison is always true (compare with a name)"),
        ("true && ok", "[true] this is always true (leave it out)"),
        ("ok || !true", "[!true] this is always false (leave it out)"),
        ("true ? 1 : 2", "[true] this condition is always the same (leave the conditional out)"),
        (
            "n == n",
            "[n == n] this comparison is always the same (both sides are the same; `has(n)` asks whether it is known)",
        ),
        (
            "n + 1 < n + 1",
            "[n + 1 < n + 1] this comparison is always the same (both sides are the same; `has(n + 1)` asks whether it is known)",
        ),
        ("has(1)", "[has(1)] this is always true (`has(x)` asks whether a name has a value)"),
        ("coalesce(1, n)", "[coalesce(1, n)] this is always its first argument (a literal is never null)"),
        ("1 in [1, 2]", "[1 in [1, 2]] this is always the same (the value has to be a name)"),
        ("n in []", "[n in []] nothing is in an empty list"),
        ("1 / 0 > n", "[1 / 0] this cannot be computed: a division by zero"),
        ("9223372036854775807 + 1 > n", "[9223372036854775807 + 1] this cannot be computed: a number is too large"),
        ("count < 0", "[count < 0] this comparison can never be true (`count` is never negative)"),
        ("0 > count", "[0 > count] this comparison can never be true (`count` is never negative)"),
        ("count <= -1", "[count <= -1] this comparison can never be true (`count` is never negative)"),
        ("count == -1", "[count == -1] this comparison can never be true (`count` is never negative)"),
        ("count < 0.0", "[count < 0.0] this comparison can never be true (`count` is never negative)"),
        ("size(tags) < 0", "[size(tags) < 0] this comparison can never be true (`size(tags)` is never negative)"),
        ("n == 1.5", "[n == 1.5] this comparison can never be true (`n` is whole)"),
        ("balance != 1.005", "[balance != 1.005] this comparison is always true (`balance` has at most 2 decimals)"),
        (
            "n > 5 && n < 3",
            "[n < 3] `n > 5` and `n < 3` are never true together (write `||` when one of them is enough)",
        ),
        (
            "n < 3 && ok && 5 <= n",
            "[5 <= n] `n < 3` and `5 <= n` are never true together (write `||` when one of them is enough)",
        ),
        (
            "n > 5 && n <= 5",
            "[n <= 5] `n > 5` and `n <= 5` are never true together (write `||` when one of them is enough)",
        ),
        (
            "type == 'a' && type == 'b'",
            "[type == 'b'] `type == 'a'` and `type == 'b'` are never true together (write `||` when one of them is enough)",
        ),
        (
            "type == 'a' && type != 'a'",
            "[type != 'a'] `type == 'a'` and `type != 'a'` are never true together (write `||` when one of them is enough)",
        ),
        (
            "balance > 10 && balance < 9.99",
            "[balance < 9.99] `balance > 10` and `balance < 9.99` are never true together (write `||` when one of them is enough)",
        ),
        (
            "who == 1 && who == 'a'",
            "[who == 'a'] `who == 1` and `who == 'a'` are never true together (write `||` when one of them is enough)",
        ),
        (
            "size(tags) > 3 && (ok && size(tags) == 2)",
            "[size(tags) == 2] `size(tags) > 3` and `size(tags) == 2` are never true together (write `||` when one of them is enough)",
        ),
        // now
        ("now", "[now] `now` cannot be used like this (it can be compared only, as in `now - last_contact >= 48h`)"),
        (
            "now - seen",
            "[now - seen] `now` cannot be used like this (it can be compared only, as in `now - last_contact >= 48h`)",
        ),
        (
            "now.getHours() > 8",
            "[now] `now` cannot be used like this (it can be compared only, as in `now - last_contact >= 48h`)",
        ),
        (
            "min(now, seen) > due",
            "[now] `now` cannot be used like this (it can be compared only, as in `now - last_contact >= 48h`)",
        ),
        (
            "now - seen > now - due",
            "[now - seen > now - due] `now` stands on both sides and makes no difference (leave it out)",
        ),
        (
            "now - (seen - now) > due",
            "[now - (seen - now) > due] `now` is counted more than once (it may stand once in a comparison)",
        ),
        (
            "(now - seen) * 2 > wait",
            "[(now - seen) * 2] `now` cannot be used like this (it can be compared only, as in `now - last_contact >= 48h`)",
        ),
        (
            "(now - seen) / 2 > wait",
            "[(now - seen) / 2] `now` cannot be used like this (it can be compared only, as in `now - last_contact >= 48h`)",
        ),
        (
            "(ok ? now : due) > seen",
            "[now] `now` cannot be used like this (it can be compared only, as in `now - last_contact >= 48h`)",
        ),
        ("now + now > due", "[now + now] `time + time` means nothing (times can be subtracted, not added)"),
        (
            "now - seen > 5",
            "[now - seen > 5] a duration cannot be compared with an int (durations are written `7d`, `48h`, `10m`)",
        ),
        (
            "now > 7d",
            "[now > 7d] a time cannot be compared with a duration (a span of time is the difference of two times, as in `now - x < 7d`)",
        ),
        ("now == null", "[now == null] a comparison with `null` is always false (`now` is always known)"),
        ("now == now", "[now == now] `now` stands on both sides and makes no difference (leave it out)"),
        (
            "now in [seen]",
            "[now] `now` cannot be used like this (it can be compared only, as in `now - last_contact >= 48h`)",
        ),
        (
            "has(now)",
            "[now] `now` cannot be used like this (it can be compared only, as in `now - last_contact >= 48h`)",
        ),
        ("now.x > 1", "[now.x] `now` cannot be used here"),
    ];
    compare(&table, |text| mistakes_of(text, &mut names(), &Expected::Anything));
}

#[test]
fn no_mistakes() {
    for text in [
        "!(n > 5) && n < 3",
        "n > 5 || n < 3",
        "n >= 5 && n <= 5",
        "n > 3 && n > 5 && n != 4",
        "count >= 0 && count > -1",
        "n > 5 && count < 3",
        "balance == 12.50",
    ] {
        compiled(text);
    }
}

#[test]
fn what_is_expected() {
    let table = [
        (Expected::Condition, "n", "[n] a condition is expected here, not an int (compare it: `n > 0`)"),
        (Expected::Condition, "type", "[type] a condition is expected here, not a text (compare it: `type == '…'`)"),
        (Expected::Number, "ok", "[ok] a number is expected here, not a bool"),
        (Expected::Summable, "due", "[due] a number or a duration is expected here, not a time"),
        (Expected::Averageable, "who", "[who] a number, a duration or a time is expected here, not an id(customer)"),
        (Expected::Time, "wait", "[wait] a time is expected here, not a duration"),
        (Expected::Condition, "ok", "no mistake: bool"),
        (Expected::Number, "balance", "no mistake: decimal(2)"),
        (Expected::Summable, "wait", "no mistake: duration"),
        (Expected::Averageable, "due", "no mistake: time"),
        (Expected::Time, "due - 7d", "no mistake: time"),
    ];
    for (expected, text, mistake) in table {
        assert_eq!(mistakes_of(text, &mut names(), &expected), mistake);
    }
    let mut records = Table { allows_now: false, ..names() };
    assert_eq!(
        mistakes_of("now - seen > 7d", &mut records, &Expected::Condition),
        "[now] `now` cannot be used here (records do not change when time passes; use it in attributes and moments)"
    );
}
