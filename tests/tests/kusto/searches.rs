//! Calls on Kusto that look for threads among all.

use super::*;
use langgraph_checkpoint_guest::{Keep, Prune, Pruned, Verify, Work};

/// How many queries have looked for threads among all, or for one of them; `None` on a cluster.
fn searches(options: &KustoOptions, of_one: bool) -> Option<usize> {
    std::env::var_os("KUSTO_DATABASE").is_none().then_some(())?;
    let url = format!(
        "{}/local/log?database={}",
        options.cluster_uri.trim_end_matches('/'),
        options.database
    );
    let text = ureq::get(&url).call().unwrap().body_mut().read_to_string().unwrap();
    let searches = text.split("langgraph-checkpoint find").skip(1);
    Some(searches.filter(|text| text.starts_with(" v1") && is_of_one(text) == of_one).count())
}

fn is_of_one(text: &str) -> bool {
    text.split_once(");").is_some_and(|(declared, _)| declared.contains("p_thread:"))
}

fn expire(resume: Option<Vec<u8>>) -> Prune {
    let pruned = Pruned::Idle("2026-12-01T00:00:00Z".to_owned());
    Prune { pruned, keep: Keep::Nothing, limit: None, dry_run: false, lease: None, resume }
}

fn work(kusto: &mut Kusto, prune: Prune) -> Work {
    let Ok(Outcome::Worked(work)) = kusto.call(Call::Prune(prune)) else { panic!("work") };
    work
}

#[test]
fn a_verification_of_all_threads_searches_all_of_them_twice_however_many_there_are() {
    let Some(options) = options("searched") else { return };
    let mut kusto = open(options.clone());
    for thread in 0..7 {
        kusto.call(checkpoint(&format!("t{thread}"), 1, chat(1))).unwrap();
    }
    let mut call = Verify::default();
    let verified = loop {
        let Ok(Outcome::Verified(verified)) = kusto.call(Call::Verify(call.clone())) else {
            panic!("verified")
        };
        call.resume = verified.next.clone();
        if call.resume.is_none() {
            break verified;
        }
    };
    assert_eq!((verified.threads, verified.problems.len()), (7, 0));
    assert!(searches(&options, false).is_none_or(|searches| searches == 2));
    assert!(searches(&options, true).is_none_or(|searches| searches == 6));
}

#[test]
fn a_thread_that_is_used_while_others_expire_stays() {
    let Some(options) = options("expired") else { return };
    let (mut kusto, mut other) = (open(options.clone()), open(options));
    for thread in ["a", "b", "c", "d"] {
        kusto.call(checkpoint(thread, 1, chat(1))).unwrap();
    }
    let first = work(&mut kusto, expire(None));
    assert_eq!(first.threads, 1);
    let Call::Put(mut put) = checkpoint("b", 2, chat(2)) else { panic!("a put") };
    put.checkpoint.ts = "2026-12-02T00:00:00Z".to_owned();
    other.call(Call::Put(put)).unwrap();
    other.call(Call::DeleteThread(config("c"))).unwrap();
    // Another search meanwhile does not disturb.
    kusto.call(Call::Verify(Verify::default())).unwrap();
    let mut next = first.next;
    let mut last = 1;
    while next.is_some() {
        let done = work(&mut kusto, expire(next));
        (next, last) = (done.next, done.threads);
    }
    assert_eq!(last, 2);
    for (thread, count) in [("a", 0), ("b", 2), ("c", 0), ("d", 0)] {
        assert_eq!(ids(&mut kusto, thread).len(), count, "{thread}");
    }
}
