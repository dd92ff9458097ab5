//! Serves an empty cluster in which nobody acts, without TLS, at the speed of the wall clock:
//! `cargo run -p twin --example empty`. The first line of its output is its address. The token
//! is `admin-token`; roles decide about everybody else. It ends with its parent.

use std::time::{SystemTime, UNIX_EPOCH};

use model::Timestamp;
use twin::{Authorization, Options, Speed, Twin};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let twin = Twin::empty(Timestamp::from_seconds(i64::try_from(now)?));
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".into());
    let options = Options {
        address: address.parse()?,
        token: "admin-token".into(),
        speed: Speed::Times(1),
        plain: true,
        authorization: Authorization::Rbac,
    };
    let server = twin::serve(&twin, options).await?;
    println!("{}", server.address());
    let parent = std::os::unix::process::parent_id();
    while std::os::unix::process::parent_id() == parent {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }
    Ok(())
}
