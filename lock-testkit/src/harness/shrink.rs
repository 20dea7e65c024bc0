//! Making a case that fails small.

use proptest::strategy::ValueTree;

use super::{Case, Failure, Harness, Size, Subject, runner::TriedOf};
use crate::sim::{Choices, FaultPlan};

/// A plan, and what each client asks.
pub(super) type Generated<Op> = (FaultPlan, Vec<Vec<Op>>);

/// So many smaller cases are tried at most.
const TRIES: u32 = 4_000;

struct Shrinking<'a, S: Subject> {
    harness: &'a Harness<S>,
    check: String,
    tried: u32,
    best: Case<S::Op>,
    /// What came of the best.
    ran: TriedOf<S>,
}

/// Makes the case that this tree stands at small. `ran` is what came of it.
pub(super) fn shrink<S: Subject>(
    harness: &Harness<S>,
    seed: u64,
    mut tree: impl ValueTree<Value = Generated<S::Op>>,
    ran: TriedOf<S>,
) -> Failure<S::Op, S::Out> {
    let (plan, programs) = tree.current();
    let first = Case { seed, plan, choices: Some(ran.run.replay.choices.clone()), programs };
    // Another flaw is another story.
    let check = ran.run.finding().map(|finding| finding.check()).unwrap_or_default();
    let mut shrinking = Shrinking { harness, check, tried: 0, best: first.clone(), ran };
    // The plainest choices first: what fails with them says everything.
    shrinking.fails(Case { choices: Some(Choices::default()), ..first.clone() });
    // The protocol of a proptest value tree: simplify while it fails, complicate when it no longer does.
    let mut more = tree.simplify();
    while more && shrinking.tried < TRIES {
        let fails = shrinking.fails_somehow(tree.current());
        more = if fails { tree.simplify() } else { tree.complicate() };
    }
    // Less of one thing may make another needless.
    while shrinking.leave_out() || shrinking.choose_plainly() {}
    let Shrinking { tried, best, ran, .. } = shrinking;
    let command = harness.command.replace("{seed}", &seed.to_string());
    Failure {
        before: Size::of(&first),
        after: Size::of(&best),
        first,
        case: best,
        ran,
        tried,
        command,
    }
}

impl<S: Subject> Shrinking<'_, S> {
    /// Whether this fails in the same way; then it is the best so far.
    fn fails(&mut self, case: Case<S::Op>) -> bool {
        if self.tried >= TRIES {
            return false;
        }
        self.tried += 1;
        let ran = self.harness.run(&case);
        let fails = ran.run.finding().is_some_and(|finding| finding.check() == self.check);
        if fails {
            let choices = Some(ran.run.replay.choices.clone());
            (self.best, self.ran) = (Case { choices, ..case }, ran);
        }
        fails
    }

    /// … with the plainest choices, with the best so far, or with those of the seed.
    fn fails_somehow(&mut self, (plan, programs): Generated<S::Op>) -> bool {
        let ways = [Some(Choices::default()), self.best.choices.clone(), None];
        let case = Case { seed: self.best.seed, plan, choices: None, programs };
        ways.into_iter().any(|choices| self.fails(Case { choices, ..case.clone() }))
    }

    /// Leaves out every fault and every operation that can be. Whether there was one.
    fn leave_out(&mut self) -> bool {
        let mut any = false;
        let mut place = 0;
        while let Some(less) = without(&self.best, place) {
            if self.fails_somehow(less) {
                any = true;
            } else {
                place += 1;
            }
        }
        any
    }

    /// Makes ever smaller stretches of the choices plain. Whether one could be.
    fn choose_plainly(&mut self) -> bool {
        let made = |this: &Self| this.best.choices.clone().unwrap_or_default();
        let before = made(self).unusual();
        let mut stretch = made(self).numbers().len();
        while stretch > 0 && self.tried < TRIES {
            let mut from = 0;
            while from < made(self).numbers().len() && self.tried < TRIES {
                let plainer = made(self).plain_in(from, from + stretch);
                if plainer != made(self) {
                    self.fails(Case { choices: Some(plainer), ..self.best.clone() });
                }
                from += stretch;
            }
            stretch /= 2;
        }
        made(self).unusual() < before
    }
}

/// The case without the fault, or the operation, of this place; `None` past the last.
pub(super) fn without<Op: Clone>(case: &Case<Op>, place: usize) -> Option<Generated<Op>> {
    let (mut plan, mut programs) = (case.plan.clone(), case.programs.clone());
    if place < plan.faults.len() {
        plan.faults.remove(place);
        return Some((plan, programs));
    }
    let mut place = place - plan.faults.len();
    for program in &mut programs {
        if place < program.len() {
            program.remove(place);
            return Some((plan, programs));
        }
        place -= program.len();
    }
    None
}
