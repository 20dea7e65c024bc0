//! A deterministic simulator: clients, clocks, a network and a server, and what goes wrong with them.
//!
//! A [`Sim`] runs the code of some clients (each is a [`Node`]) against a backend behind a simulated network, on virtual time
//! and on one thread. One seed decides everything: who runs next, how long messages take, how far clocks are apart. The
//! same seed gives the same run, byte for byte; a [`SimReplay`] says it all in a line of text.
//!
//! A [`FaultPlan`] says what goes wrong, and when: aimed at the holder of a lease, at the moment of a renewal, before a write.
//! [`plans`] makes them at random, [`hunt_plans`] looks for one that breaks something and makes it small.
//!
//! A run has a stormy phase, in which things go wrong, and a calm one, in which nothing does and everybody must come to
//! an end. It is judged ([`Run::findings`]) by the lock checker on what the server did, by what the clients believed against what
//! the server knew ([`Node::watch`]), by what stayed behind, and by whatever the clients say ([`Node::fail`]).
//!
//! The guide is `docs/simulator.md`.

mod armed;
mod backend;
mod call;
mod choices;
mod claims;
mod clock;
mod driver;
mod hunt;
mod message;
mod network;
mod node;
mod outcome;
mod plan;
mod server;
mod settings;
mod simulation;
mod trace;
mod world;

pub use choices::{Choices, ParseChoicesError};
pub use hunt::{Attempt, PlanFailure, PlanHunt, PlanHunted, generate_plan, hunt_plans};
pub use node::Node;
pub use outcome::{FaultNote, Finding, ParseReplayError, Run, SimReplay};
pub use plan::{
    Action, Change, Fault, FaultPlan, Kinds, Leg, Operation, ParsePlanError, Span, Trigger, Who,
    plans,
};
pub use settings::Storm;
pub use simulation::Sim;
pub use trace::Trace;
