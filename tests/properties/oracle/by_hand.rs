//! The oracle against cases computed by hand.

use super::run;

const VALUE: &str = "purpose = 'assistance'\nvalue = { kind = 'economic', benefit = 'b' }\n";

/// Runs and gives (episodes, views) with only the parts that are named.
fn views_of(pack: &str, lines: &[&str], until: u64) -> Vec<String> {
    let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    run(pack, &lines, Some(until), 1).views.lines().map(str::to_owned).collect()
}

/// Per transition: time, customer, entity, moment, episode, transition, evidence, as short as can
/// be.
fn episodes_of(pack: &str, lines: &[&str], until: u64) -> Vec<String> {
    let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    let episodes = run(pack, &lines, Some(until), 1).episodes;
    episodes
        .lines()
        .map(|line| {
            let json: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let part = |name: &str| json[name].to_string().replace('"', "");
            format!(
                "{} {} {} {} {} {}",
                part("logical_time_ms"),
                part("customer"),
                json["entity"]["id"].as_str().unwrap_or("-"),
                part("moment"),
                part("transition"),
                part("evidence")
            )
        })
        .collect()
}

fn stream(features: &str) -> String {
    format!(
        "[pack]\nname = 'p'\n[stream.s]\nabout = 'c'\ntime = 'at'\norder = 'n'\n\
         fields = {{ c = 'id(customer)', at = 'time', n = 'int?', d = 'decimal(2)?', x = 'text?', f = 'float?' }}\n\
         [customer.feature]\n{features}\n"
    )
}

#[test]
fn aggregates_of_a_stream() {
    let pack = stream(
        "records = { from = 's', count = true }\nwith_d = { from = 's', count = 'd' }\n\
         sum = { from = 's', sum = 'd' }\navg = { from = 's', avg = 'd' }\ndev = { from = 's', stddev = 'n' }\n\
         least = { from = 's', min = 'x' }\nmost = { from = 's', max = 'd' }\nfirst = { from = 's', first = 'x' }\n\
         last = { from = 's', last = 'x', where = 'has(n)' }\nkinds = { from = 's', distinct = 'x' }\n\
         which = { from = 's', set = 'x', at_most = 2 }\nmode = { from = 's', top = 'x' }\n\
         modes = { from = 's', top = 'x', at_most = 2 }\nmean = { from = 's', avg = 'n' }\nfloats = { from = 's', sum = 'f' }",
    );
    let lines = [
        r#"{"stream":"s","c":"a","at":5,"n":1,"d":1.00,"x":"m","f":0.5}"#,
        r#"{"stream":"s","c":"a","at":5,"n":3,"d":-0.01,"x":"z","f":1e0}"#,
        r#"{"stream":"s","c":"a","at":5,"d":"1.0","x":"b","f":null}"#,
        r#"{"stream":"s","c":"a","at":5,"n":2,"x":"m"}"#,
        r#"{"stream":"s","c":"","at":5}"#,
        r#"{"stream":"s","c":"a","at":5,"d":0.001}"#,
    ];
    // avg: 1.99 / 3 = 0.663; stddev of 1, 3, 2: √(2/3).
    let expected =
        r#"{"customer":"a","logical_time_ms":5,"records":4,"with_d":3,"sum":1.99,"avg":0.66,"dev":0.816496580927726"#;
    let views = views_of(&pack, &lines, 9);
    assert_eq!(views.len(), 1, "{views:?}");
    assert!(views[0].starts_with(expected), "{}", views[0]);
    let rest = r#","least":"b","most":1.00,"first":"b","last":"z","kinds":3,"which":["b","m"],"mode":"m","modes":["m","b"],"mean":2.0,"floats":1.5,"entities":{}}"#;
    assert!(views[0].ends_with(rest), "{}", views[0]);
}

#[test]
fn half_is_rounded_to_even() {
    let pack = stream("avg = { from = 's', avg = 'd' }");
    let averages = |amounts: &[&str]| {
        let lines: Vec<String> =
            amounts.iter().map(|amount| format!(r#"{{"stream":"s","c":"a","at":5,"d":{amount}}}"#)).collect();
        run(&pack, &lines, None, 1).views
    };
    assert!(averages(&["0.01", "0.02"]).contains("\"avg\":0.02"));
    assert!(averages(&["0.02", "0.03"]).contains("\"avg\":0.02"));
    assert!(averages(&["-0.01", "-0.02"]).contains("\"avg\":-0.02"));
    assert!(averages(&["-0.02", "-0.03"]).contains("\"avg\":-0.02"));
    assert!(averages(&["-0.01", "0.00"]).contains("\"avg\":0.00"));
}

#[test]
fn windows_panes_and_late_records() {
    let pack = stream(
        "w = { from = 's', count = true, window = '10ms' }\np = { from = 's', count = true, window = '10ms', pane = '8ms' }",
    );
    let lines = [
        r#"{"stream":"s","c":"a","at":3}"#,
        r#"{"stream":"s","c":"a","at":6}"#,
        r#"{"stream":"s","c":"a","at":4}"#,
        r#"{"stream":"s","c":"b","at":12}"#,
        r#"{"stream":"s","c":"a","at":2}"#,
    ];
    // 3 counts in [3, 13) and until the pane's end 16; 6 in [6, 16); the late 4 in [6, 14), pane
    // 16; the 12 of b in [12, 22), pane 24; the late 2 in [12, 12): nothing, but [12, 16) with
    // panes.
    let expected = [
        r#"{"customer":"a","logical_time_ms":3,"w":1,"p":1,"entities":{}}"#,
        r#"{"customer":"a","logical_time_ms":6,"w":3,"p":3,"entities":{}}"#,
        r#"{"customer":"a","logical_time_ms":12,"w":3,"p":4,"entities":{}}"#,
        r#"{"customer":"b","logical_time_ms":12,"w":1,"p":1,"entities":{}}"#,
        r#"{"customer":"a","logical_time_ms":13,"w":2,"p":4,"entities":{}}"#,
        r#"{"customer":"a","logical_time_ms":14,"w":1,"p":4,"entities":{}}"#,
        r#"{"customer":"a","logical_time_ms":16,"w":0,"p":0,"entities":{}}"#,
        r#"{"customer":"b","logical_time_ms":22,"w":0,"p":1,"entities":{}}"#,
        r#"{"customer":"b","logical_time_ms":24,"w":0,"p":0,"entities":{}}"#,
    ];
    assert_eq!(views_of(&pack, &lines, 30), expected);
    assert_eq!(views_of(&pack, &lines, 21).len(), 7);
}

#[test]
fn during_and_now() {
    let pack = format!(
        "[pack]\nname = 'p'\n[table.bills]\nkey = ['b']\nabout = 'c'\ntime = 'at'\n\
         fields = {{ b = 'int', c = 'id(customer)', at = 'time', due = 'time' }}\n\
         [customer.feature]\nsoon = {{ from = 'bills', count = true, during = ['due - 5ms', 'due'] }}\n\
         next = {{ from = 'bills', min = 'due' }}\n\
         [moment.near]\nwhen = 'next - now < 4ms && next > now'\nfor = '2ms'\n{VALUE}\
         [moment.some]\nwhen = 'soon > 0'\n{VALUE}"
    );
    let lines = [
        r#"{"stream":"bills","b":1,"c":"a","at":10,"due":20}"#,
        r#"{"stream":"bills","b":1,"c":"a","at":17,"due":30}"#,
        r#"{"stream":"bills","b":1,"c":"a","at":12,"due":13}"#,
    ];
    let expected = [
        "15 a - some opened {soon:1}",
        "17 a - some closed {soon:0}",
        "25 a - some opened {soon:1}",
        "29 a - near opened {next:1970-01-01T00:00:00.03Z}",
        "30 a - near closed {next:1970-01-01T00:00:00.03Z}",
        "30 a - some closed {soon:0}",
    ];
    assert_eq!(episodes_of(&pack, &lines, 40), expected);
}

const ACCOUNTS: &str = "[pack]\nname = 'p'\n[entity.account]\n\
     belongs_to = { customer = 'c', by = 'holders', where = \"role == 'O'\" }\n\
     [table.holders]\nkey = ['h']\ntime = 'at'\ndelete = \"role == 'X'\"\n\
     fields = { h = 'int', c = 'id(customer)', a = 'id(account)', role = 'text', at = 'time' }\n\
     [stream.trans]\nabout = 'a'\ntime = 'at'\nfields = { a = 'id(account)', at = 'time', amount = 'decimal(2)' }\n\
     [account.feature]\nbalance = { from = 'trans', sum = 'amount' }\n\
     [account.attribute]\nlow = 'balance < 1.00'\n\
     [customer.feature]\ntotal = { over = 'account', sum = 'balance' }\n\
     lows = { over = 'account', count = true, where = 'low' }\n";

#[test]
fn joint_accounts_and_changes_of_holder() {
    let lines = [
        r#"{"stream":"trans","a":7,"at":1,"amount":5}"#,
        r#"{"stream":"holders","h":1,"c":"x","a":"7","role":"O","at":2}"#,
        r#"{"stream":"holders","h":2,"c":"y","a":7,"role":"O","at":3}"#,
        r#"{"stream":"trans","a":7,"at":4,"amount":-4.5}"#,
        r#"{"stream":"holders","h":1,"c":"z","a":7,"role":"O","at":5}"#,
        r#"{"stream":"holders","h":2,"at":6}"#,
        r#"{"stream":"holders","h":1,"c":"z","a":7,"role":"X","at":7}"#,
        r#"{"stream":"holders","h":1,"c":"z","a":7,"role":"O","at":6}"#,
    ];
    let view = |customer: &str, at: u64, total: &str, lows: u8, low: bool| {
        format!(
            r#"{{"customer":"{customer}","logical_time_ms":{at},"total":{total},"lows":{lows},"entities":{{"account":{{"7":{{"balance":{total},"low":{low}}}}}}}}}"#
        )
    };
    let gone =
        |customer: &str, at: u64| format!(r#"{{"customer":"{customer}","logical_time_ms":{at},"exists":false}}"#);
    let expected = [
        view("x", 2, "5.00", 0, false),
        view("y", 3, "5.00", 0, false),
        view("x", 4, "0.50", 1, true),
        view("y", 4, "0.50", 1, true),
        gone("x", 5),
        view("z", 5, "0.50", 1, true),
        gone("y", 6),
        gone("z", 7),
    ];
    assert_eq!(views_of(ACCOUNTS, &lines, 9), expected);
}

#[test]
fn moments_about_an_entity_close_with_the_relation() {
    let pack = format!(
        "{ACCOUNTS}[moment.low]\nabout = 'account'\nwhen = 'low && customer.total < 9.00 && balance > 0.00'\n{VALUE}"
    );
    let lines = [
        r#"{"stream":"holders","h":1,"c":"x","a":7,"role":"O","at":1}"#,
        r#"{"stream":"holders","h":2,"c":"x","a":8,"role":"O","at":1}"#,
        r#"{"stream":"trans","a":7,"at":2,"amount":0.5}"#,
        r#"{"stream":"trans","a":8,"at":2,"amount":2}"#,
        r#"{"stream":"holders","h":1,"c":"x","a":7,"role":"R","at":4}"#,
    ];
    let expected = [
        "2 x 7 low opened {balance:0.5,customer.total:2.5,low:true}",
        "4 x 7 low closed {balance:0.0,customer.total:2.0,low:true}",
    ];
    assert_eq!(episodes_of(&pack, &lines, 9), expected);
}

#[test]
fn tables_without_time_and_their_fields_in_expressions() {
    let pack = format!(
        "[pack]\nname = 'p'\n[table.people]\nkey = ['id']\nabout = 'id'\norder = 'v'\n\
         fields = {{ id = 'id(customer)', v = 'int', name = 'text?' }}\n\
         [customer.attribute]\ncalled = \"coalesce(people.name, '?')\"\n\
         [moment.named]\nwhen = 'has(people.name)'\nfor = '3ms'\n{VALUE}"
    );
    let lines = [
        r#"{"stream":"people","id":12,"v":2,"name":"A"}"#,
        r#"{"stream":"people","id":"12","v":1,"name":"B"}"#,
        r#"{"stream":"people","id":"p","v":1}"#,
        r#"{"stream":"people","id":"p","v":"1"}"#,
        r#"{"stream":"nobody","id":"p","v":"1"}"#,
        r#"{"stream":"people","#,
    ];
    let owned: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    assert_eq!(dead(&run(&pack, &owned, None, 1)), [(4, "wrong_type"), (5, "unknown_input"), (6, "unreadable")]);
    assert_eq!(
        views_of(&pack, &lines, 9),
        [
            r#"{"customer":"12","logical_time_ms":0,"called":"A","entities":{}}"#,
            r#"{"customer":"p","logical_time_ms":0,"called":"?","entities":{}}"#
        ]
    );
    assert_eq!(episodes_of(&pack, &lines, 9), ["3 12 - named opened {people.name:A}"]);
}

#[test]
fn failing_expressions() {
    let pack = stream("q = { from = 's', max = '10 / n' }\nall = { from = 's', sum = 'n' }")
        + "[customer.attribute]\nratio = '100 / q'\n";
    let lines = [
        r#"{"stream":"s","c":"a","at":1,"n":0}"#,
        r#"{"stream":"s","c":"a","at":2,"n":20}"#,
        r#"{"stream":"s","c":"a","at":3,"n":9223372036854775807}"#,
        r#"{"stream":"s","c":"a","at":4,"n":4}"#,
    ];
    let owned: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    let found = run(&pack, &owned, None, 1);
    assert_eq!(dead(&found), [(1, "expression")]);
    let expected = [
        r#"{"customer":"a","logical_time_ms":2,"q":0,"all":20,"ratio":null,"entities":{}}"#,
        r#"{"customer":"a","logical_time_ms":3,"q":0,"all":null,"ratio":null,"entities":{}}"#,
        r#"{"customer":"a","logical_time_ms":4,"q":2,"all":null,"ratio":50,"entities":{}}"#,
    ];
    assert_eq!(found.views.lines().collect::<Vec<_>>(), expected);
}

/// The lines that are no records, and why.
fn dead(given: &super::Expected) -> Vec<(usize, &'static str)> {
    given.dead.iter().map(|dead| (dead.place.1, dead.reason)).collect()
}

/// Two files of one input, of which one is delimited: what comes first, what is no record.
#[test]
fn files_are_merged_by_the_times_of_their_records() {
    let pack = stream("n = { from = 's', last = 'n' }\nx = { from = 's', last = 'x' }");
    let file = |name: &str, text: &str| crate::files::File {
        name: name.to_owned(),
        input: "s".to_owned(),
        text: text.to_owned(),
    };
    let files = [
        file("a.csv", "at,x,c,more\n5,\"u,\n\"\"v\",1,\n\n3,,1\n7,\"x,1,\n4,y,1,z\n"),
        file(
            "b.jsonl",
            "{\"c\":1,\"at\":2,\"n\":1}\n{\"c\":1,\"at\":6,\"n\":2,\"z\":1,\"\\u007a\":1}\n{\"c\":1,\"at\":6,\"n\":3}\n",
        ),
    ];
    let given = super::run_from(&pack, super::Arrivals::Files(&files), None, 1, 0);
    let mut dead: Vec<(super::decode::Place, &str)> = given.dead.iter().map(|dead| (dead.place, dead.reason)).collect();
    dead.sort_unstable();
    assert_eq!(dead, [((0, 5), "unreadable"), ((0, 6), "unreadable"), ((1, 2), "unreadable")]);
    assert_eq!((given.records, given.late), (4, 1));
    let views: Vec<&str> = given.views.lines().collect();
    assert_eq!(
        views,
        [
            r#"{"customer":"1","logical_time_ms":2,"n":1,"x":null,"entities":{}}"#,
            r#"{"customer":"1","logical_time_ms":5,"n":1,"x":"u,\n\"v","entities":{}}"#,
            r#"{"customer":"1","logical_time_ms":6,"n":3,"x":"u,\n\"v","entities":{}}"#
        ]
    );
}
