//! instant-epp as its users use it: one command, one answer, typed.

use super::meter::Meter;
use super::target::Target;
use crate::measure::Outcome;
use instant_epp::client::{Connector, EppClient};
use instant_epp::contact::ContactInfo;
use instant_epp::login::Login;
use instant_epp::logout::Logout;
use std::io;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// A line with our own certificates, which its bundled connector cannot take together with an address.
struct Line<'t>(&'t Target);

#[async_trait::async_trait]
impl Connector for Line<'_> {
    type Connection = TlsStream<TcpStream>;

    async fn connect(&self, _timeout: Duration) -> Result<Self::Connection, instant_epp::Error> {
        let stream = self.0.connect().await.map_err(|e| e.to_string());
        stream.map_err(|e| instant_epp::Error::Io(io::Error::other(e)))
    }
}

/// Asks for contact after contact until enough is measured.
pub async fn run(target: &Target, mut meter: Meter) -> Outcome<Meter> {
    let mut client = EppClient::new(Line(target), "bench".to_owned(), Duration::from_secs(30)).await?;
    client.transact(&Login::new(&target.user, &target.password, None, None), "login-1").await?;
    let mut number = 0_u64;
    'all: loop {
        for (id, password) in &target.contacts {
            number += 1;
            let answer = client.transact(&ContactInfo::new(id, password), &format!("bench-{number:09}")).await?;
            let data = answer.res_data().ok_or("an answer without data")?;
            if data.id != *id {
                return Err("an answer about another contact".into());
            }
            // It does not tell how long the answer was.
            meter.answer(0);
            if meter.is_done() {
                break 'all;
            }
        }
    }
    client.transact(&Logout, "logout-1").await?;
    Ok(meter)
}
