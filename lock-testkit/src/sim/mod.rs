//! sim
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
pub use hunt::{
    Attempt, PlanFailure, PlanHunt, PlanHunted, generate_plan, hunt_plans,
};
pub use node::Node;
pub use outcome::{FaultNote, Finding, ParseReplayError, Run, SimReplay};
pub use plan::{
    Action, Change, Fault, FaultPlan, Kinds, Leg, Operation, ParsePlanError, Span, Trigger, Who,
    plans,
};
pub use settings::Storm;
pub use simulation::Sim;
pub use trace::Trace;
