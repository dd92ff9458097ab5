//! Serves the built-in story for a look with kubectl:
//! `cargo run -p twin --example serve -- twin.yaml [seconds]`, then
//! `kubectl --kubeconfig twin.yaml get nodes`.

use twin::{Options, Speed, Twin, scenario};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("which file shall the kubeconfig be written to?")?;
    let seconds: i64 = arguments.next().map_or(Ok(0), |text| text.parse())?;
    let twin = Twin::new(scenario::cascade(1));
    twin.advance_seconds(seconds);
    let options = Options {
        address: "127.0.0.1:0".parse()?,
        token: "twin".into(),
        speed: Speed::Times(1),
        plain: false,
        authorization: twin::Authorization::AlwaysAllow,
    };
    let server = twin::serve(&twin, options).await?;
    std::fs::write(&file, server.kubeconfig())?;
    println!("https://{} until interrupted; kubeconfig in {file}", server.address());
    tokio::signal::ctrl_c().await?;
    Ok(())
}
