//! The tasks, who of them can run, and whose they are.

use std::{
    any::Any,
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, ThreadId},
};

use futures::future::BoxFuture;

/// Whose task it is: all tasks of one owner are paused, resumed and dropped together.
pub(crate) type Owner = u32;

/// The number of a task; never used again within one executor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TaskId(u64);

/// What a look at the ready tasks came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Polled {
    /// Nobody can run.
    Nobody,
    /// This task ran and goes on.
    Ran,
    /// This task ended.
    Ended(TaskId),
    /// This task panicked, and is gone.
    Panicked(TaskId),
}

/// Tasks on one thread. Who runs next among those who can is the caller's choice.
#[derive(Default)]
pub(crate) struct Executor<'a> {
    tasks: BTreeMap<TaskId, Slot<'a>>,
    next: u64,
    ready: Arc<Ready>,
    paused: BTreeMap<Owner, Vec<Arc<Task>>>,
    incoming: Incoming,
    panic: Option<Box<dyn Any + Send>>,
}

struct Slot<'a> {
    owner: Owner,
    future: BoxFuture<'a, ()>,
    waker: Waker,
}

impl<'a> Executor<'a> {
    /// Starts a task: it runs when its turn comes.
    pub(crate) fn spawn(&mut self, owner: Owner, future: BoxFuture<'a, ()>) -> TaskId {
        self.next += 1;
        let id = TaskId(self.next);
        let ready = Arc::clone(&self.ready);
        let waker: Waker =
            Arc::new(Task { id, owner, queued: AtomicBool::new(false), ready }).into();
        waker.wake_by_ref();
        self.tasks.insert(id, Slot { owner, future, waker });
        id
    }

    /// Where others leave tasks to be started.
    pub(crate) const fn incoming(&self) -> &Incoming {
        &self.incoming
    }

    /// Lets one task that can run do so. `choose` picks one of so many, at least two.
    pub(crate) fn poll_one(&mut self, choose: impl FnOnce(usize) -> usize) -> Polled {
        self.admit();
        let Some(task) = self.pick(choose) else { return Polled::Nobody };
        let Some(slot) = self.tasks.get_mut(&task.id) else { return Polled::Ran };
        let context = &mut Context::from_waker(&slot.waker);
        let poll = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            slot.future.as_mut().poll(context)
        }));
        match poll {
            Ok(Poll::Pending) => Polled::Ran,
            Ok(Poll::Ready(())) => {
                self.tasks.remove(&task.id);
                Polled::Ended(task.id)
            }
            Err(panic) => {
                self.tasks.remove(&task.id);
                self.panic = Some(panic);
                Polled::Panicked(task.id)
            }
        }
    }

    /// What the last task that panicked left.
    pub(crate) fn take_panic(&mut self) -> Box<dyn Any + Send> {
        self.panic.take().unwrap_or_else(|| Box::new(()))
    }

    /// Runs nothing of this owner until it is resumed. What wakes its tasks meanwhile is kept.
    pub(crate) fn pause(&mut self, owner: Owner) {
        self.paused.entry(owner).or_default();
    }

    /// The tasks of this owner run again.
    pub(crate) fn resume(&mut self, owner: Owner) {
        let woken = self.paused.remove(&owner).unwrap_or_default();
        self.ready.lock().extend(woken);
    }

    /// Drops every task of this owner, in the order in which they were started. A paused owner stays paused.
    pub(crate) fn drop_all_of(&mut self, owner: Owner) {
        self.admit();
        let theirs = self.tasks.iter().filter(|(_, slot)| slot.owner == owner);
        let theirs: Vec<_> = theirs.map(|(id, _)| *id).collect();
        for id in theirs {
            self.drop_task(id);
        }
        if let Some(woken) = self.paused.get_mut(&owner) {
            woken.clear();
        }
    }

    /// Drops one task, if it still runs.
    pub(crate) fn drop_task(&mut self, id: TaskId) {
        self.tasks.remove(&id);
    }

    /// How many tasks have not ended.
    pub(crate) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Whether every task has ended.
    pub(crate) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Whether another thread has woken a task: then this run can't be repeated.
    pub(crate) fn was_woken_from_elsewhere(&self) -> bool {
        self.ready.from_elsewhere.load(Ordering::Relaxed)
    }

    /// Starts what was left to be started.
    fn admit(&mut self) {
        for (owner, future) in self.incoming.take() {
            self.spawn(owner, future);
        }
    }

    fn pick(&mut self, choose: impl FnOnce(usize) -> usize) -> Option<Arc<Task>> {
        let mut ready = self.ready.lock();
        if !self.paused.is_empty() {
            let paused = &mut self.paused;
            ready.retain(|task| match paused.get_mut(&task.owner) {
                Some(held) => {
                    held.push(Arc::clone(task));
                    false
                }
                None => true,
            });
        }
        let place = if ready.len() > 1 { choose(ready.len()) } else { 0 };
        let task = ready.remove(place)?;
        task.queued.store(false, Ordering::Relaxed);
        Some(task)
    }
}

/// Tasks to be started, with their owners.
type Starting = Vec<(Owner, BoxFuture<'static, ()>)>;

/// Tasks to be started: the running ones may add to it.
#[derive(Clone, Default)]
pub(crate) struct Incoming(Arc<Mutex<Starting>>);

impl Incoming {
    pub(crate) fn push(&self, owner: Owner, task: BoxFuture<'static, ()>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((owner, task));
    }

    fn take(&self) -> Starting {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Ready {
    queue: Mutex<VecDeque<Arc<Task>>>,
    thread: ThreadId,
    from_elsewhere: AtomicBool,
}

impl Default for Ready {
    fn default() -> Self {
        let thread = thread::current().id();
        Self { queue: Mutex::default(), thread, from_elsewhere: AtomicBool::new(false) }
    }
}

impl Ready {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Task>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Task {
    id: TaskId,
    owner: Owner,
    queued: AtomicBool,
    ready: Arc<Ready>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        Self::wake_by_ref(&self);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if thread::current().id() != self.ready.thread {
            self.ready.from_elsewhere.store(true, Ordering::Relaxed);
        }
        if !self.queued.swap(true, Ordering::Relaxed) {
            self.ready.lock().push_back(Arc::clone(self));
        }
    }
}
