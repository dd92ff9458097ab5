//! The shell: the only part with locks, tasks, sockets and a clock.

mod body;
mod certificate;
mod clock;
mod date;
mod kubeconfig;
mod serve;
mod service;
mod twin;

pub use body::TwinBody;
pub use clock::Speed;
pub use serve::{Options, ServeError, Server, serve};
pub use service::TwinService;
pub use twin::Twin;
