//! What must never happen between a bank and its customers, whatever the pack and the records:
//! properties of the decisions of an engine, checked against single questions to the oracle.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::files;
use crate::generate::{self, Case, Rng, time_of};
use crate::happened::{EXERCISED, Share};
use crate::oracle::{Against, Judge, Span, Told};
use crate::tried::{OTHER, PLAIN, Tried, arrivals, at_least, load, run_one};

/// How many cases are tried unless it is said.
const CASES: u64 = 300;

type Decision = BTreeMap<String, Value>;

fn parsed(text: &str) -> Vec<Decision> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn word<'a>(decision: &'a Decision, key: &str) -> &'a str {
    decision.get(key).and_then(Value::as_str).unwrap_or("")
}

fn time(decision: &Decision) -> i64 {
    decision["logical_time_ms"].as_i64().expect("a time")
}

/// What an engine gives.
struct Run {
    decisions: Vec<Decision>,
    text: String,
    episodes: Vec<Decision>,
}

fn run(case: &Case) -> Result<Run, Tried> {
    let plan = load(case).ok_or(Tried::Refused)?;
    let (texts, _) = run_one(&plan, case, PLAIN).map_err(Tried::Wrong)?;
    Ok(Run { decisions: parsed(&texts.decisions), episodes: parsed(&texts.episodes), text: texts.decisions })
}

impl Run {
    /// What was published, in the order of rank within a time: nobody is told that order, so it is
    /// taken from the arbiter.
    fn told(&self) -> Vec<Told> {
        let published = |decision: &&Decision| matches!(word(decision, "verdict"), "released" | "handed_to_human");
        let told = |decision: &Decision| Told {
            at: time(decision),
            customer: word(decision, "customer").to_owned(),
            moment: word(decision, "moment").to_owned(),
            entity: decision["entity"]["id"].as_str().map(str::to_owned),
            episode: word(decision, "episode").to_owned(),
            channel: decision["channel"].as_str().map(str::to_owned),
            handed: word(decision, "verdict") == "handed_to_human",
        };
        self.decisions.iter().filter(published).map(told).collect()
    }

    fn spans(&self) -> Vec<Span> {
        let mut spans: BTreeMap<&str, Span> = BTreeMap::new();
        for transition in &self.episodes {
            let at = time(transition);
            let span = spans.entry(word(transition, "episode")).or_insert_with(|| Span {
                customer: word(transition, "customer").to_owned(),
                moment: word(transition, "moment").to_owned(),
                opened: at,
                closed: i64::MAX,
            });
            if word(transition, "transition") == "closed" {
                span.closed = at;
            }
        }
        spans.into_values().collect()
    }
}

/// It holds, and there was something that it held for, or not.
fn holds(exercised: bool) -> Tried {
    Tried::Fine(if exercised { vec![EXERCISED] } else { Vec::new() })
}

/// Of so many cases of a hundred a property has to hold for something.
fn in_some(percent: u64) -> [Share; 1] {
    [(EXERCISED, percent)]
}

/// What the oracle knows of a case.
fn judge(case: &Case) -> Option<Judge> {
    let plan = load(case)?;
    let files = files::of(case, &plan);
    Some(Judge::new(&case.pack.text(), arrivals(case, files.as_deref()), case.until))
}

/// Checks every release with what was released at earlier times, and what stood against it.
fn every_release(
    case: &Case,
    is_exercised: &dyn Fn(&Run) -> bool,
    wrong: &dyn Fn(&Judge, &Told, &Against, &Run) -> bool,
) -> Tried {
    let run = match run(case) {
        Ok(run) => run,
        Err(tried) => return tried,
    };
    let Some(judge) = judge(case) else { return Tried::Refused };
    let (told, spans) = (run.told(), run.spans());
    for one in told.iter().filter(|one| !one.handed) {
        let before: Vec<Told> =
            told.iter().filter(|other| other.customer == one.customer && other.at < one.at).cloned().collect();
        let against = judge.against(one, &before, &spans);
        if wrong(&judge, one, &against, &run) {
            return Tried::Wrong(format!("{one:?} in spite of {against:?}"));
        }
    }
    holds(told.iter().any(|one| !one.handed) && is_exercised(&run))
}

/// Something is released, and what must not be released is held back, in so many cases of a
/// hundred. The packs have these words.
fn releases(
    (what, percent): (&str, u64),
    words: &[&str],
    is_exercised: &(dyn Fn(&Run) -> bool + Sync),
    wrong: &(dyn Fn(&Judge, &Told, &Against, &Run) -> bool + Sync),
) {
    let check = |_, case: &Case| every_release(case, is_exercised, wrong);
    let case = |seed| generate::contact_case_with(seed, words);
    at_least(CASES, what, &in_some(percent), &case, &check);
}

/// Whether a gate held something back.
fn fails(gate: &'static str) -> impl Fn(&Run) -> bool + Sync {
    move |run| run.text.contains(&format!("\"gate\":\"{gate}\""))
}

#[test]
fn nothing_is_released_to_those_who_refuse() {
    releases(("refusal", 20), &["refusal = "], &fails("refusal"), &|_, _, against, _| against.refuses);
}

#[test]
fn nothing_is_released_without_consent() {
    releases(("consent", 20), &["[policy.consent"], &fails("consent"), &|_, _, against, _| against.does_not_agree);
}

#[test]
fn nothing_is_released_when_it_is_quiet() {
    releases(("quiet", 15), &["quiet = "], &fails("quiet"), &|_, _, against, _| against.is_quiet);
}

#[test]
fn every_release_is_validated_at_its_own_time() {
    releases(("validated", 50), &[], &|_| true, &|_, _, against, _| !against.gates.is_empty());
}

#[test]
fn nothing_is_sold_while_another_moment_forbids_it() {
    let is_exercised = |run: &Run| {
        let is_silenced =
            |one: &Decision| one.get("gates").is_some_and(|gates| gates.to_string().contains("\"silence\""));
        run.decisions.iter().any(|one| word(one, "purpose") == "sales" && is_silenced(one))
    };
    releases(("silence", 5), &["silence = { purposes = [\"sales\"]"], &is_exercised, &|judge, told, _, run| {
        let forbids = |span: &Span| {
            let mut silencers = judge.silencers("sales").into_iter();
            let after =
                silencers.find(|(name, _)| *name == span.moment && *name != told.moment).map(|(_, after)| after);
            let until = after.map(|after| span.closed.saturating_add(after));
            span.customer == told.customer && until.is_some_and(|until| (span.opened..until).contains(&told.at))
        };
        judge.purpose(&told.moment) == "sales" && run.spans().iter().any(forbids)
    });
}

#[test]
fn no_budget_is_ever_exceeded() {
    at_least(
        CASES,
        "budgets",
        &in_some(15),
        &|seed| generate::contact_case_with(seed, &["pressure = "]),
        &|_, case| {
            let run = match run(case) {
                Ok(run) => run,
                Err(tried) => return tried,
            };
            let Some(judge) = judge(case) else { return Tried::Refused };
            // Of releases at one time any may have been the last: that one has all others before it.
            let told = run.told();
            for time in told.iter().map(|one| one.at) {
                let at_once: Vec<&Told> = told.iter().filter(|one| one.at == time && !one.handed).collect();
                for customer in at_once.iter().map(|one| &one.customer) {
                    let same: Vec<&&Told> = at_once.iter().filter(|one| one.customer == *customer).collect();
                    let before = |last: &Told| -> Vec<Told> {
                        let others = told.iter().filter(|other| other.customer == *customer && other.at <= time);
                        others.filter(|other| other.episode != last.episode).cloned().collect()
                    };
                    let fits = |last: &&&Told| judge.against(last, &before(last), &[]).budgets.is_empty();
                    if !same.iter().copied().any(|last| fits(&last)) {
                        return Tried::Wrong(format!("a budget is exceeded by {same:?}"));
                    }
                }
            }
            holds(!told.is_empty() && fails("pressure")(&run))
        },
    );
}

#[test]
fn every_episode_ends_in_one_final_verdict() {
    at_least(CASES, "final", &in_some(40), &generate::contact_case, &|_, case| {
        let run = match run(case) {
            Ok(run) => run,
            Err(tried) => return tried,
        };
        let mut verdicts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for decision in run.decisions.iter().filter(|decision| word(decision, "decision") == "verdict") {
            verdicts.entry(word(decision, "episode")).or_default().push(word(decision, "verdict"));
        }
        for transition in &run.episodes {
            let episode = word(transition, "episode");
            let given = verdicts.get(episode).map_or(&[][..], Vec::as_slice);
            let ends =
                given.iter().filter(|verdict| ["released", "handed_to_human", "expired"].contains(verdict)).count();
            let withdrawn = given.iter().filter(|verdict| **verdict == "withdrawn").count();
            let first_end = given.iter().position(|verdict| !["deferred", "suppressed"].contains(verdict));
            let behind = first_end.map_or(&[][..], |at| &given[at + 1..]);
            let closed = word(transition, "transition") == "closed";
            let is_right = !given.is_empty()
                && ends <= 1
                && withdrawn <= 1
                && behind.iter().all(|verdict| *verdict == "withdrawn")
                && (behind.is_empty() || !given.contains(&"expired"))
                && (!closed || withdrawn == 1 || given.contains(&"expired"));
            if !is_right {
                return Tried::Wrong(format!("{episode} ({}) has {given:?}", word(transition, "transition")));
            }
        }
        let is_over = |transition: &Decision| word(transition, "transition") == "closed";
        holds(run.episodes.iter().any(is_over) && !run.told().is_empty())
    });
}

#[test]
fn a_replay_gives_the_same_triggers() {
    at_least(CASES, "replay", &in_some(50), &generate::contact_case, &|_, case| {
        let Some(plan) = load(case) else { return Tried::Refused };
        match [PLAIN, OTHER].map(|way| run_one(&plan, case, way).map(|(texts, _)| texts.decisions)) {
            [Ok(one), Ok(other)] => same("decisions", &one, &other),
            [Err(error), _] | [_, Err(error)] => Tried::Wrong(error),
        }
    });
}

#[test]
fn the_order_of_arrivals_at_one_time_does_not_matter() {
    at_least(CASES, "order", &in_some(50), &generate::timely_case, &|seed, case| {
        let mut orders = [case.clone(), case.clone()];
        Rng::new(!seed).shuffle(&mut orders[1].lines);
        for case in &mut orders {
            case.lines.sort_by_key(|line| time_of(line).unwrap_or(0));
        }
        match (run(&orders[0]), run(&orders[1])) {
            (Ok(one), Ok(other)) => match same("decisions", &one.text, &other.text) {
                Tried::Fine(_) => holds(orders[0].lines != orders[1].lines && !one.told().is_empty()),
                wrong => wrong,
            },
            (Err(tried), _) | (_, Err(tried)) => tried,
        }
    });
}

#[test]
fn a_bad_mood_never_raises_the_rank_of_what_is_sold() {
    at_least(CASES, "rank", &in_some(5), &|seed| generate::contact_case_with(seed, SOLD_IN_A_MOOD), &|seed, case| {
        let mut rng = Rng::new(!seed);
        // What is rated depends on what was released, and that on the mood. What is added comes
        // right behind another line, which files would take apart.
        let mut case = Case { files: None, ..case.clone() };
        case.pack.declarations.retain(|declaration| declaration.name.as_deref() != Some("rating"));
        let mut worse = case.clone();
        let of_mood = |worse: &Case| -> Vec<usize> {
            let lines = worse.lines.iter().enumerate();
            lines.filter(|(_, line)| line.contains("\"stream\":\"mood")).map(|(at, _)| at).collect()
        };
        if of_mood(&worse).is_empty() {
            return holds(false);
        }
        for _ in 0..12 {
            // Beside another, so that the clock is the same.
            let at = *rng.pick(&of_mood(&worse));
            let angry = |line: String, label: &&str| line.replace(*label, "\"label\":\"anger\"");
            let line = LABELS.iter().fold(worse.lines[at].clone(), angry);
            worse.lines.insert(at + 1, line);
        }
        let priorities = |run: &Run| -> BTreeMap<(String, i64), String> {
            let sales = run
                .decisions
                .iter()
                .filter(|decision| word(decision, "purpose") == "sales" && word(decision, "decision") == "verdict");
            sales.map(|one| ((word(one, "episode").to_owned(), time(one)), one["priority"].to_string())).collect()
        };
        match (run(&case), run(&worse)) {
            (Ok(one), Ok(other)) => {
                // The mood is another for somebody to whom something would be sold.
                let negative = |run: &Run| {
                    let sales = run.decisions.iter().filter(|one| word(one, "purpose") == "sales");
                    sales.filter(|one| word(one, "mood") == "negative").count()
                };
                let is_worse = negative(&other) > negative(&one);
                let (one, other) = (priorities(&one), priorities(&other));
                let is_exercised = is_worse && one.keys().any(|key| other.contains_key(key));
                let differs =
                    one.iter().find(|(key, priority)| other.get(*key).is_some_and(|other| other != *priority));
                differs.map_or(holds(is_exercised), |differs| {
                    Tried::Wrong(format!("{differs:?} is another in a bad mood"))
                })
            }
            (Err(tried), _) | (_, Err(tried)) => tried,
        }
    });
}

const SOLD_IN_A_MOOD: &[&str] = &["[policy.mood]", "purpose = \"sales\"", "priority = "];
const LABELS: [&str; 4] = ["\"label\":\"joy\"", "\"label\":\"calm\"", "\"label\":\"bored\"", "\"label\":\"anxiety\""];

fn same(what: &str, one: &str, other: &str) -> Tried {
    if one == other {
        return holds(one.contains("\"verdict\":\"released\""));
    }
    let differs = one.lines().zip(other.lines()).find(|(one, other)| one != other);
    Tried::Wrong(match differs {
        Some((one, other)) => format!("{what}:\n{one}\nbut\n{other}"),
        None => format!("{what}: {} lines, but {}", one.lines().count(), other.lines().count()),
    })
}

/// Nothing is shown by cases in which nothing is decided.
#[test]
fn the_random_policies_are_not_trivial() {
    let mut decisions = String::new();
    for seed in 1..=120 {
        let case = generate::contact_case(seed);
        decisions += &crate::oracle::run(&case.pack.text(), &case.lines, case.until, case.grain).decisions;
    }
    let verdicts = ["released", "handed_to_human", "deferred", "suppressed", "withdrawn", "expired"];
    let gates = [
        "refusal",
        "consent",
        "silence",
        "holdout",
        "cooldown",
        "evidence",
        "mood",
        "quiet",
        "pressure",
        "arbitration",
    ];
    let words = verdicts.map(|verdict| format!("\"verdict\":\"{verdict}\"")).into_iter();
    let words = words.chain(gates.map(|gate| format!("\"gate\":\"{gate}\"")));
    let more = [
        "\"why\":\"rest",
        "\"why\":\"snoozed",
        "\"why\":\"released",
        "\"withheld\"",
        "\"helped\":true",
        "\"helped\":false",
        "\"group\":\"holdout\"",
        "-released\",\"channel\"",
        "\"moment\":null",
        "\"heard_before\":true",
    ];
    let counted: Vec<(String, usize)> = words
        .chain(more.map(str::to_owned))
        .map(|word| {
            let lines = decisions.lines().filter(|line| line.contains(&word)).count();
            (word, lines)
        })
        .collect();
    println!("{counted:?}");
    assert!(counted.iter().all(|(_, lines)| *lines > 2), "{counted:?}");
}
