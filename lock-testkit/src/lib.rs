

pub mod check;
pub mod history;
pub mod mock;
pub mod model;
pub mod suite;
pub mod vectors;
