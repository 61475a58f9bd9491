//! TCP: every address a name has, each within a time of its own.

use super::tls::Failure;
use crate::base::{Blame, Problem};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::timeout;

/// Time for one address.
const EACH: Duration = Duration::from_secs(10);

/// Connects to `host`, trying its addresses in turn.
pub(super) async fn connect(host: &str, port: u16) -> Result<TcpStream, Failure> {
    let fail = |what: String, remedy: &str| Failure { problem: Problem::new("E-net-001", Blame::Network, what, remedy), again: true };
    let found = timeout(EACH, lookup_host((host, port))).await;
    let addresses: Vec<SocketAddr> = match found {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(e)) => return Err(fail(format!("the name {host} has no address: {e}"), "check the name, and this machine's resolver")),
        Err(_) => return Err(fail(format!("looking up {host} took more than {} s", EACH.as_secs()), "check this machine's resolver")),
    };
    let mut tried = Vec::new();
    for address in addresses {
        match timeout(EACH, one(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(e)) => tried.push(format!("{address}: {e}")),
            Err(_) => tried.push(format!("{address}: no answer within {} s", EACH.as_secs())),
        }
    }
    let what = format!("cannot connect to {host} port {port} ({})", tried.join("; "));
    Err(fail(what, "check address, port and firewall, and that the registry knows this machine's address"))
}

/// Connects to one address.
async fn one(address: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_keepalive(true)?;
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
