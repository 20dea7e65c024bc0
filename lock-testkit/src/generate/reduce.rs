//! Making a failing program smaller by hand, where the shrinking of its parts got stuck.
//!
//! Proptest shrinks each part of a program once, in order. A program fails at certain instants, and taking a
//! step out moves all that follow; these edits keep the instants where they can, and go round until none helps.

use std::time::Duration;

use super::program::{Action, Ask, Program, Sharing, Step};

/// Goes on from `program` to a smaller one as long as `fails` finds one that fails too, with at most so many tries.
pub(super) fn reduce(
    mut program: Program,
    tries: u32,
    mut fails: impl FnMut(&Program) -> bool,
) -> Program {
    let mut left = tries;
    'again: loop {
        for smaller in smaller(&program) {
            if left == 0 {
                break 'again;
            }
            left -= 1;
            if fails(&smaller) {
                program = smaller;
                continue 'again;
            }
        }
        break;
    }
    program
}

/// Programs that are a little smaller, the boldest first.
fn smaller(program: &Program) -> Vec<Program> {
    let mut made = Vec::new();
    let mut edit = |change: &dyn Fn(&mut Program)| {
        let mut next = program.clone();
        change(&mut next);
        if next != *program {
            made.push(next);
        }
    };
    edit(&|next| {
        next.clients.pop_if(|steps| steps.is_empty());
    });
    edit(&|next| next.link = None);
    edit(&|next| next.link.iter_mut().for_each(|link| link.loss = 0));
    edit(&|next| next.order = 0);
    for client in 0..program.clients.len() {
        edit(&|next| next.clients[client].clear());
    }
    for (client, steps) in program.clients.iter().enumerate() {
        for step in 0..steps.len() {
            edit(&|next| {
                next.clients[client].remove(step);
            });
            edit(&|next| remove_in_place(&mut next.clients[client], step));
        }
    }
    for (client, steps) in program.clients.iter().enumerate() {
        for step in 0..steps.len() {
            edit(&|next| next.clients[client][step].think = Duration::ZERO);
            edit(&|next| next.clients[client][step].cut = None);
            edit(&|next| plainer(&mut next.clients[client][step].action));
            edit(&|next| plain(&mut next.clients[client][step]));
        }
    }
    made
}

/// Takes a step out; what follows happens when it did.
fn remove_in_place(steps: &mut Vec<Step>, step: usize) {
    let removed = steps.remove(step);
    if let Some(next) = steps.get_mut(step) {
        next.think += removed.think;
    }
}

/// One thing less.
fn plainer(action: &mut Action) {
    match action {
        Action::Wait(ask, _) => *action = Action::Try(*ask),
        Action::Again { wait: Some(_), lease, other } => {
            *action = Action::Again { wait: None, lease: *lease, other: *other };
        }
        Action::Again { other, .. } => *other = false,
        Action::Try(ask) => ask.hold = Duration::ZERO,
        Action::Extend(..) | Action::Release(_) | Action::Look(_) | Action::Revoke(_) => {}
    }
}

/// Asks for one key, for one client alone.
fn plain(step: &mut Step) {
    if let Action::Try(ask) | Action::Wait(ask, _) = &mut step.action {
        *ask = Ask { keys: 1, sharing: Sharing::Exclusive, permits: 1, ..*ask };
    }
}
