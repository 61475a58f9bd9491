//! The floor: a client that keeps commands in flight, cuts frames, and scans their events. It types nothing and checks nothing.

use super::meter::Meter;
use super::target::Target;
use crate::measure::Outcome;
use quick_xml::Reader;
use quick_xml::events::Event;
use std::fmt::Write as _;
use std::hint::black_box;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

const EPP: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="no"?><epp xmlns="urn:ietf:params:xml:ns:epp-1.0"><command>"#;
const END: &str = "</command></epp>";
const OBJECTS: &str = "<objURI>urn:ietf:params:xml:ns:domain-1.0</objURI><objURI>urn:ietf:params:xml:ns:contact-1.0</objURI>\
                       <objURI>urn:ietf:params:xml:ns:host-1.0</objURI>";

/// A line, what was read of it, and what is to be written.
struct Line {
    stream: TlsStream<TcpStream>,
    read: Vec<u8>,
    /// Bytes of `read` that hold something, and how many of them are used up.
    filled: usize,
    used: usize,
    out: Vec<u8>,
    text: String,
}

/// Asks for contact after contact, `window` at a time, until enough is measured.
pub async fn run(target: &Target, window: u16, mut meter: Meter) -> Outcome<Meter> {
    let stream = target.connect().await?;
    let mut line = Line { stream, read: vec![0; 64 * 1024], filled: 0, used: 0, out: Vec::new(), text: String::new() };
    line.answers(|_| ()).await?;
    let (user, password) = (&target.user, &target.password);
    line.command(|text| {
        write!(
            text,
            "<login><clID>{user}</clID><pw>{password}</pw><options><version>1.0</version><lang>en</lang></options>\
             <svcs>{OBJECTS}</svcs></login><clTRID>login-1</clTRID>"
        )
    })?;
    line.send().await?;
    line.answers(|_| ()).await?;
    let mut contacts = target.contacts.iter().cycle();
    let (mut in_flight, mut number) = (0_u64, 0_u64);
    while !meter.is_done() {
        while in_flight < u64::from(window) {
            let (id, pw) = contacts.next().ok_or("no contacts to ask for")?;
            number += 1;
            line.command(|text| {
                write!(
                    text,
                    "<info><contact:info xmlns:contact=\"urn:ietf:params:xml:ns:contact-1.0\"><contact:id>{id}</contact:id>\
                     <contact:authInfo><contact:pw>{pw}</contact:pw></contact:authInfo></contact:info></info>\
                     <clTRID>bench-{number:09}</clTRID>"
                )
            })?;
            in_flight += 1;
        }
        line.send().await?;
        in_flight -= line.answers(|bytes| meter.answer(bytes)).await?;
    }
    Ok(meter)
}

impl Line {
    /// Puts a command behind those to be written. What is asked for here needs no escaping.
    fn command(&mut self, inside: impl FnOnce(&mut String) -> std::fmt::Result) -> Outcome<()> {
        self.text.clear();
        self.text.push_str(EPP);
        inside(&mut self.text)?;
        self.text.push_str(END);
        self.out.extend_from_slice(&u32::try_from(self.text.len() + 4)?.to_be_bytes());
        self.out.extend_from_slice(self.text.as_bytes());
        Ok(())
    }

    async fn send(&mut self) -> Outcome<()> {
        self.stream.write_all(&self.out).await?;
        self.stream.flush().await?;
        self.out.clear();
        Ok(())
    }

    /// Reads until at least one answer is whole, and scans all that are. How many.
    async fn answers(&mut self, mut each: impl FnMut(u64)) -> Outcome<u64> {
        let mut count = 0;
        while count == 0 {
            self.read.copy_within(self.used..self.filled, 0);
            self.filled -= self.used;
            self.used = 0;
            if self.filled == self.read.len() {
                self.read.resize(self.read.len() * 2, 0);
            }
            let read = self.stream.read(&mut self.read[self.filled..]).await?;
            if read == 0 {
                return Err("the registry closed the line".into());
            }
            self.filled += read;
            while let Some(header) = self.read[self.used..self.filled].first_chunk::<4>() {
                let length = u32::from_be_bytes(*header) as usize;
                let Some(frame) = self.read[self.used..self.filled].get(4..length) else { break };
                black_box(events(std::str::from_utf8(frame)?)?);
                self.used += length;
                count += 1;
                each(length as u64);
            }
        }
        Ok(count)
    }
}

/// The bare scan: how many events there are.
pub fn events(text: &str) -> Outcome<usize> {
    let mut reader = Reader::from_str(text);
    let mut count = 0;
    loop {
        match reader.read_event()? {
            Event::Eof => return Ok(count),
            event => {
                black_box(&event);
                count += 1;
            }
        }
    }
}
