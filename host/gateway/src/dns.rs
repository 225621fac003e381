//! Looks up TXT records, by which a domain is shown to be an organization's: all that the gateway
//! asks of DNS (RFC 1035). One resolver is asked, over UDP, and over TCP where the answer was cut.

use crate::clock::Random;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

/// How often a resolver is asked, and how long it is waited for each time.
const TRIES: u32 = 3;
const PATIENCE: Duration = Duration::from_secs(2);

/// Aliases that are followed within one answer.
const ALIASES: usize = 8;

const TXT: u16 = 16;
const CNAME: u16 = 5;
const INTERNET: u16 = 1;

/// Why nothing was found out.
#[derive(Debug, thiserror::Error)]
pub enum DnsError {
    /// Nobody to ask.
    #[error("no DNS resolver is known: set `resolver` in section [dns] of the configuration")]
    NoResolver,
    /// No answer came.
    #[error(
        "the DNS resolver {0} did not answer within {seconds} s: try again, or set another one",
        seconds = PATIENCE.as_secs() * u64::from(TRIES)
    )]
    Silent(SocketAddr),
    /// It cannot be reached.
    #[error("the DNS resolver {address} cannot be reached")]
    Unreachable {
        /// The resolver.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It answered that it could not find out.
    #[error("the DNS resolver {address} failed with code {code}: try again")]
    Failed {
        /// The resolver.
        address: SocketAddr,
        /// The RCODE of RFC 1035 section 4.1.1.
        code: u8,
    },
}

/// Asks one resolver.
#[derive(Clone, Debug)]
pub struct Resolver {
    address: Option<SocketAddr>,
    random: Random,
}

impl Resolver {
    /// Asks this resolver; none: the first one that the system names in `/etc/resolv.conf`.
    #[must_use]
    pub fn new(address: Option<SocketAddr>, random: Random) -> Self {
        let of_system = || {
            let text = std::fs::read_to_string("/etc/resolv.conf").ok()?;
            first_nameserver(&text)
        };
        Self {
            address: address.or_else(of_system),
            random,
        }
    }

    /// The TXT records of a name, each as one text; none where the name does not exist.
    ///
    /// # Errors
    /// Where the resolver cannot be asked, says nothing or cannot find out.
    pub async fn txt(&self, name: &str) -> Result<Vec<String>, DnsError> {
        let address = self.address.ok_or(DnsError::NoResolver)?;
        let unreachable = |source| DnsError::Unreachable { address, source };
        for _ in 0..TRIES {
            // Both the id and the port, which the system picks anew, would have to be guessed by
            // whoever wants to answer in the resolver's stead.
            let question = Question::new(name, u16::from_be_bytes(self.random.bytes()));
            let Ok(asked) = timeout(PATIENCE, over_udp(address, &question)).await else {
                continue;
            };
            let mut answer = asked.map_err(unreachable)?;
            if answer.cut {
                let Ok(asked) = timeout(PATIENCE, over_tcp(address, &question)).await else {
                    continue;
                };
                answer = asked.map_err(unreachable)?;
            }
            return match answer.code {
                0 | 3 => Ok(answer.texts(&question.name)),
                code => Err(DnsError::Failed { address, code }),
            };
        }
        Err(DnsError::Silent(address))
    }
}

fn first_nameserver(text: &str) -> Option<SocketAddr> {
    let address = text.lines().find_map(|line| {
        let address: IpAddr = line
            .strip_prefix("nameserver")?
            .split_whitespace()
            .next()?
            .parse()
            .ok()?;
        Some(address)
    })?;
    Some(SocketAddr::new(address, 53))
}

async fn over_udp(address: SocketAddr, question: &Question) -> io::Result<Answer> {
    let any: SocketAddr = match address {
        SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        SocketAddr::V6(_) => ([0_u16; 8], 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    // Connected, it takes nothing from anybody else.
    socket.connect(address).await?;
    socket.send(&question.bytes).await?;
    let mut bytes = [0; 4_096];
    loop {
        let length = socket.recv(&mut bytes).await?;
        // What answers another question is passed by: the right answer may still come.
        if let Some(answer) = question.answer(&bytes[..length]) {
            return Ok(answer);
        }
    }
}

async fn over_tcp(address: SocketAddr, question: &Question) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(address).await?;
    let length = u16::try_from(question.bytes.len()).unwrap_or(u16::MAX);
    let framed = [&length.to_be_bytes()[..], &question.bytes].concat();
    stream.write_all(&framed).await?;
    let length = stream.read_u16().await?;
    let mut bytes = vec![0; usize::from(length)];
    stream.read_exact(&mut bytes).await?;
    let garbled = || io::Error::new(io::ErrorKind::InvalidData, "not an answer to the question");
    question.answer(&bytes).ok_or_else(garbled)
}

/// A question for the TXT records of one name.
struct Question {
    id: u16,
    /// In lower case.
    name: String,
    bytes: Vec<u8>,
}

impl Question {
    /// `name` has labels of 1 to 63 bytes, 253 together: a checked domain behind a short label.
    fn new(name: &str, id: u16) -> Self {
        // "Recursion desired", and one question.
        let mut bytes = [&id.to_be_bytes()[..], &[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]].concat();
        for label in name.split('.') {
            bytes.push(u8::try_from(label.len()).unwrap_or(u8::MAX));
            bytes.extend_from_slice(label.as_bytes());
        }
        bytes.push(0);
        for field in [TXT, INTERNET] {
            bytes.extend_from_slice(&field.to_be_bytes());
        }
        Self {
            id,
            name: name.to_ascii_lowercase(),
            bytes,
        }
    }

    /// Reads an answer; none where it is none to this question.
    fn answer(&self, bytes: &[u8]) -> Option<Answer> {
        let mut message = Message { bytes, at: 0 };
        let id = message.number()?;
        let flags = message.number()?;
        let counts = [message.number()?, message.number()?];
        let (_, _) = (message.number()?, message.number()?);
        let is_answer = flags & 0x8000 != 0;
        let asked = (message.name()?, message.number()?, message.number()?);
        let own = (self.name.clone(), TXT, INTERNET);
        if id != self.id || !is_answer || counts[0] != 1 || asked != own {
            return None;
        }
        let mut answer = Answer {
            cut: flags & 0x0200 != 0,
            code: (flags & 0x0F) as u8,
            records: Vec::new(),
        };
        for _ in 0..counts[1] {
            // Of one that was cut the rest is asked for anew.
            let Some(record) = message.record() else {
                return answer.cut.then_some(answer);
            };
            answer.records.extend(record);
        }
        Some(answer)
    }
}

/// What a resolver says.
struct Answer {
    cut: bool,
    code: u8,
    records: Vec<(String, Data)>,
}

enum Data {
    Text(String),
    Alias(String),
}

impl Answer {
    /// The texts of a name, or of what it is an alias of.
    fn texts(self, name: &str) -> Vec<String> {
        let mut owner = name.to_owned();
        for _ in 0..ALIASES {
            let alias = self.records.iter().find_map(|(of, data)| match data {
                Data::Alias(target) if *of == owner => Some(target.clone()),
                Data::Alias(_) | Data::Text(_) => None,
            });
            match alias {
                Some(target) => owner = target,
                None => break,
            }
        }
        let texts = self.records.into_iter();
        let texts = texts.filter_map(|(of, data)| match data {
            Data::Text(text) if of == owner => Some(text),
            Data::Text(_) | Data::Alias(_) => None,
        });
        texts.collect()
    }
}

/// Reads a message field by field. Everything is none where the bytes end too early.
struct Message<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Message<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(length)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn number(&mut self) -> Option<u16> {
        self.take(2)
            .map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// A name in lower case. What another one has in common with it is a pointer to it (section
    /// 4.1.4), always to what stands before: so no way through them is endless.
    fn name(&mut self) -> Option<String> {
        let mut labels: Vec<String> = Vec::new();
        let mut behind = None;
        let mut pointed = self.at;
        loop {
            let length = self.byte()?;
            match length {
                0 => break,
                1..=63 => {
                    let label = self.take(usize::from(length))?;
                    let label = label.iter().map(u8::to_ascii_lowercase);
                    labels.push(label.map(char::from).collect());
                    if labels.len() > 127 {
                        return None;
                    }
                }
                64..=191 => return None,
                192.. => {
                    let to = usize::from(length & 0x3F) << 8 | usize::from(self.byte()?);
                    behind.get_or_insert(self.at);
                    if to >= pointed {
                        return None;
                    }
                    (pointed, self.at) = (to, to);
                }
            }
        }
        if let Some(behind) = behind {
            self.at = behind;
        }
        Some(labels.join("."))
    }

    /// A record; none within where it is of another kind.
    fn record(&mut self) -> Option<Option<(String, Data)>> {
        let owner = self.name()?;
        let (kind, class) = (self.number()?, self.number()?);
        let _time_to_live = self.take(4)?;
        let length = usize::from(self.number()?);
        let end = self.at.checked_add(length)?;
        let data = match (kind, class) {
            (TXT, INTERNET) => Some(Data::Text(self.text(end)?)),
            (CNAME, INTERNET) => Some(Data::Alias(self.name()?)),
            _ => {
                self.take(length)?;
                None
            }
        };
        (self.at == end).then_some(data.map(|data| (owner, data)))
    }

    /// The pieces of a text, which may have 255 bytes each, put together (RFC 7208 section 3.3).
    fn text(&mut self, end: usize) -> Option<String> {
        let mut text = Vec::new();
        while self.at < end {
            let length = usize::from(self.byte()?);
            text.extend_from_slice(self.take(length)?);
        }
        Some(String::from_utf8_lossy(&text).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An answer to `question` with these records: owner as bytes, type, data.
    fn answer(question: &Question, flags: u16, records: &[(&[u8], u16, &[u8])]) -> Vec<u8> {
        let mut bytes = question.bytes.clone();
        bytes[2..4].copy_from_slice(&flags.to_be_bytes());
        bytes[7] = u8::try_from(records.len()).unwrap();
        for (owner, kind, data) in records {
            bytes.extend_from_slice(owner);
            bytes.extend_from_slice(&kind.to_be_bytes());
            bytes.extend_from_slice(&[0, 1, 0, 0, 0, 60]);
            bytes.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
            bytes.extend_from_slice(data);
        }
        bytes
    }

    const SAME: &[u8] = &[192, 12];

    fn texts(question: &Question, bytes: &[u8]) -> Option<Vec<String>> {
        let answer = question.answer(bytes)?;
        Some(answer.texts(&question.name))
    }

    #[test]
    fn texts_of_the_name_and_of_its_alias_are_found_in_pieces_too() {
        let question = Question::new("_gatewright.Acme.test", 7);
        let own = answer(
            &question,
            0x8180,
            &[
                (SAME, TXT, b"\x03abc\x02de"),
                (SAME, 1, &[127, 0, 0, 1]),
                (b"\x05other\0", TXT, b"\x01x"),
            ],
        );
        assert_eq!(texts(&question, &own), Some(vec!["abcde".to_owned()]));
        // The alias ends with a pointer to "acme.test" in the question.
        let alias = answer(
            &question,
            0x8180,
            &[
                (SAME, CNAME, b"\x01v\xc0\x18"),
                (b"\x01V\xc0\x18", TXT, b"\x02ok"),
            ],
        );
        assert_eq!(texts(&question, &alias), Some(vec!["ok".to_owned()]));
    }

    #[test]
    fn what_answers_another_question_is_none() {
        let question = Question::new("_gatewright.acme.test", 7);
        let good = answer(&question, 0x8180, &[(SAME, TXT, b"\x02ok")]);
        assert!(question.answer(&good).is_some());
        assert!(
            Question::new("_gatewright.acme.test", 8)
                .answer(&good)
                .is_none()
        );
        assert!(
            Question::new("_gatewright.evil.test", 7)
                .answer(&good)
                .is_none()
        );
        let question_back = answer(&question, 0x0100, &[]);
        assert!(question.answer(&question_back).is_none());
        for length in 0..good.len() {
            assert!(question.answer(&good[..length]).is_none(), "{length}");
        }
        let cut = answer(&question, 0x8380, &[(SAME, TXT, b"\x02ok")]);
        assert!(question.answer(&cut[..cut.len() - 3]).unwrap().cut);
    }

    #[test]
    fn a_name_that_points_to_itself_ends() {
        let question = Question::new("a.test", 7);
        let bytes = answer(&question, 0x8180, &[(&[192, 24], TXT, b"\x02ok")]);
        assert!(question.answer(&bytes).is_none());
    }

    #[test]
    fn the_system_s_first_resolver_is_found() {
        let text = "# nameserver 9.9.9.9\nsearch acme.test\nnameserver 10.0.0.2\nnameserver ::1\n";
        assert_eq!(first_nameserver(text), Some(([10, 0, 0, 2], 53).into()));
        assert_eq!(first_nameserver("search acme.test\n"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_fail(rest in proptest::collection::vec(any::<u8>(), 0..200)) {
            let question = Question::new("_gatewright.acme.test", 7);
            let mut bytes = answer(&question, 0x8180, &[]);
            bytes[7] = 3;
            bytes.extend_from_slice(&rest);
            let _ = texts(&question, &bytes);
            let _ = texts(&question, &rest);
        }
    }
}
