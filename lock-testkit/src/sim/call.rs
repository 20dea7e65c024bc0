//! Waiting for a reply.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
};

use super::{message::Reply, world::World};

/// Where the reply will be.
#[derive(Debug, Default)]
pub(super) struct Cell(Mutex<Inside>);

#[derive(Debug, Default)]
struct Inside {
    reply: Option<Reply>,
    waker: Option<Waker>,
}

impl Cell {
    /// Puts the reply where it is waited for; `false` if one is there already.
    pub(super) fn fill(&self, reply: Reply) {
        let mut inside = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if inside.reply.is_none() {
            inside.reply = Some(reply);
        }
        let waker = inside.waker.take();
        drop(inside);
        waker.into_iter().for_each(Waker::wake);
    }

    fn poll(&self, context: &Context<'_>) -> Poll<Reply> {
        let mut inside = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match inside.reply.take() {
            Some(reply) => Poll::Ready(reply),
            None => {
                inside.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// A call that is out. Dropped, it takes nothing back, but a waiter's place is given up by a message.
pub(super) struct Call {
    pub(super) world: Arc<World>,
    pub(super) number: u64,
    pub(super) client: u32,
    pub(super) life: u32,
    pub(super) waits: bool,
    pub(super) cell: Arc<Cell>,
    pub(super) done: bool,
}

impl Future for Call {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Reply> {
        let poll = self.cell.poll(context);
        self.done |= poll.is_ready();
        poll
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.done {
            self.world.hang_up(self.number, self.client, self.life, self.waits);
        }
    }
}
