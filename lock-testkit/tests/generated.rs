//! Generated programs: the same every time, text and back, minimal when they fail, and no alarm on what is correct.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail the test")]

use std::{
    env,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use leasehold::{LockBackend, Runtime};
use leasehold_memory::{MemoryBackend, state::Retention};
use leasehold_testkit::{
    broken::{BrokenBackend, Bug, nth_program},
    generate::{Hunt, Profile, Program, generate, hunt, on_virtual_time},
    history::History,
    report::Evidence,
};

/// As many programs as the correct backends must pass without an alarm, together.
const PROGRAMS: u64 = 100_000;

/// Given-up ids are remembered for longer than any program runs.
fn memory(runtime: Runtime) -> MemoryBackend {
    let time = Duration::from_secs(24 * 60 * 60);
    MemoryBackend::with_retention(runtime, Retention { time, ..Retention::default() })
}

fn bytes(history: &History) -> Vec<u8> {
    let mut bytes = Vec::new();
    history.write_to(&mut bytes).unwrap();
    bytes
}

/// What happened in many runs, in one number.
fn digest() -> u64 {
    let mut hasher = DefaultHasher::new();
    for number in 0..400 {
        let (_, program) = nth_program(7, number);
        bytes(&on_virtual_time(&program, memory).history).hash(&mut hasher);
    }
    hasher.finish()
}

#[test]
fn one_seed_gives_one_history_byte_for_byte() {
    for profile in [Profile::Grid, Profile::Latency] {
        for seed in 0..100 {
            let program = generate(profile, seed);
            assert_eq!(program, generate(profile, seed));
            let (one, other) =
                (on_virtual_time(&program, memory), on_virtual_time(&program, memory));
            assert_eq!(bytes(&one.history), bytes(&other.history), "{program}");
        }
    }
    assert_eq!(digest(), digest());
}

#[test]
fn two_processes_give_the_same_bytes() {
    const CHILD: &str = "LEASEHOLD_PRINT_DIGEST";
    if env::var_os(CHILD).is_some() {
        println!("digest={:016x}", digest());
        return;
    }
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "two_processes_give_the_same_bytes", "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let said = String::from_utf8(child.stdout).unwrap();
    assert!(said.contains(&format!("digest={:016x}", digest())), "{said}");
}

#[test]
fn another_seed_gives_another_program() {
    for profile in [Profile::Grid, Profile::Latency, Profile::Real] {
        assert_ne!(generate(profile, 1), generate(profile, 2));
    }
}

#[test]
fn a_program_survives_its_text_and_its_json() {
    for profile in [Profile::Grid, Profile::Latency, Profile::Real] {
        for seed in 0..500 {
            let program = generate(profile, seed);
            let text = program.to_string();
            assert_eq!(text.parse::<Program>().unwrap(), program, "{text}");
            assert!(!text.contains('\''), "a shell takes it in single quotes: {text}");
            let json = serde_json::to_string(&program).unwrap();
            assert_eq!(serde_json::from_str::<Program>(&json).unwrap(), program);
        }
    }
}

/// The smallest program found for a bug on the grid.
fn smallest(bug: Bug) -> Program {
    let seeds = Hunt { profile: Profile::Grid, first: 0, programs: 2_000 };
    let run = |program: &Program| {
        on_virtual_time(program, |runtime| BrokenBackend::with_bug(bug, runtime))
    };
    hunt(&seeds, run).failure.expect("the bug is found").program
}

#[test]
fn a_failing_program_shrinks_to_the_few_steps_that_matter() {
    let cases = [
        (Bug::LiveAtItsEnd, 1),
        (Bug::NeverExpires, 1),
        (Bug::LeaseEndsEarly, 1),
        (Bug::ReleaseClaimsSuccess, 1),
        (Bug::ReleaseWithoutIdCheck, 2),
        (Bug::ExtendRevivesExpired, 2),
        (Bug::RepeatGetsNewToken, 2),
        (Bug::TokenStartsAnew, 1),
        (Bug::WriterBesideReaders, 2),
    ];
    for (bug, steps) in cases {
        let program = smallest(bug);
        assert!(program.steps().count() <= steps, "{}: {program}", bug.name());
    }
}

#[test]
fn the_smallest_program_fails_again_from_its_text() {
    let program: Program = smallest(Bug::ExtendRevivesExpired).to_string().parse().unwrap();
    let start = |runtime| BrokenBackend::with_bug(Bug::ExtendRevivesExpired, runtime);
    assert!(on_virtual_time(&program, start).finding.is_some());
    assert!(on_virtual_time(&program, BrokenBackend::correct).finding.is_none());
}

#[test]
fn programs_that_once_failed_pass() {
    let text = include_str!("../regressions/programs.txt");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    for line in lines {
        let program: Program = line.parse().unwrap();
        assert_eq!(program.to_string(), line, "the text is in its usual form");
        assert_eq!(on_virtual_time(&program, memory).finding, None, "memory: {line}");
        assert_eq!(on_virtual_time(&program, BrokenBackend::correct).finding, None, "{line}");
    }
}

/// One call was granted by its own look, and the lease was revoked before the other looked, which queued again and was
/// granted a second time. Not for the reference machine: it still does that.
#[test]
fn two_calls_that_wait_under_one_id_are_granted_together() {
    let text = "try a x 20ms | wait a x 20ms 40ms | +1ms again 2 40ms | +1ms wait a x 5ms 60ms | +20ms revoke a; revoke a; look a";
    assert_eq!(on_virtual_time(&text.parse().unwrap(), memory).finding, None);
}

/// Runs that many programs, a thread for each processor; the first failure is told.
fn pass<B: LockBackend>(programs: u64, start: fn(Runtime) -> B) {
    let next = AtomicU64::new(0);
    let total = Mutex::new(Evidence::default());
    let work = || {
        let mut evidence = Evidence::default();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= programs {
                break;
            }
            let (profile, program) = nth_program(0, number);
            let ran = on_virtual_time(&program, start);
            if let Some(finding) = ran.finding {
                panic!("{profile}:{number}: {finding}\n{program}");
            }
            evidence += Evidence::of(&ran.history);
        }
        *total.lock().unwrap() += evidence;
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let evidence = total.into_inner().unwrap();
    assert!(!evidence.is_vacuous(), "{evidence}");
    assert!(evidence.unknown > 0 && evidence.overlap > 2, "{evidence}");
}

#[test]
fn the_memory_backend_passes_without_an_alarm() {
    pass(PROGRAMS * 3 / 4, memory);
}

#[test]
fn the_reference_machine_passes_without_an_alarm() {
    pass(PROGRAMS / 4, BrokenBackend::correct);
}

#[test]
fn a_run_that_shows_nothing_is_said_to_be_vacuous() {
    let program: Program = "look a; release 1".parse().unwrap();
    let ran = on_virtual_time(&program, memory);
    assert!(ran.finding.is_none());
    assert!(Evidence::of(&ran.history).is_vacuous());
}
