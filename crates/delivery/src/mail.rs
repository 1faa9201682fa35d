//! Mail: that something happened, and nothing of what. No name, no fact, a link.

use std::path::Path;
use std::time::Duration;

use lettre::address::AddressError;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::file::AsyncFileTransport;
use lettre::transport::smtp::{Error as SmtpError, PoolConfig};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use lindung_domain::subscription::{DisabledReason, MailLanguage};
use lindung_persistence::Ended;
use uuid::Uuid;

use crate::webhook::Sent;

/// How long a mail server may take for one command.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How many connections to the mail server are kept for the next mails.
const CONNECTIONS: u32 = 4;

/// Why mail cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum BadMail {
    /// The sender's address is none.
    #[error("the sender's address is none: {0}")]
    Sender(#[from] AddressError),
    /// The mail server's URL is none.
    #[error("the mail server's URL: {0}")]
    Server(#[from] SmtpError),
    /// It is not encrypted.
    #[error("the mail server's URL must begin with smtps://, or end in ?tls=required")]
    Plain,
}

/// By whom, and in whose name.
#[derive(Debug, Clone)]
pub struct Smtp {
    /// `smtps://user:password@host` or `smtp://user:password@host:587?tls=required`.
    pub url: String,
    /// Whether it may be without TLS: for development and tests.
    pub plain: bool,
}

#[derive(Clone)]
enum Way {
    Server(AsyncSmtpTransport<Tokio1Executor>),
    Folder(AsyncFileTransport<Tokio1Executor>),
}

/// Sends mail, or writes it to a folder.
#[derive(Clone)]
pub struct Mailer {
    way: Way,
    from: Mailbox,
    /// The service's own URL.
    issuer: String,
}

impl Mailer {
    /// By a mail server.
    ///
    /// # Errors
    /// The address or the URL is none, or it is not encrypted.
    pub fn by_server(smtp: &Smtp, from: &str, issuer: &str) -> Result<Self, BadMail> {
        let encrypted = smtp.url.starts_with("smtps://") || smtp.url.ends_with("?tls=required");
        if !encrypted && !smtp.plain {
            return Err(BadMail::Plain);
        }
        let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(&smtp.url)?
            .timeout(Some(TIMEOUT))
            .pool_config(PoolConfig::new().max_size(CONNECTIONS))
            .build();
        Mailer::new(Way::Server(server), from, issuer)
    }

    /// Into a folder, a file each.
    ///
    /// # Errors
    /// The address is none.
    pub fn to_folder(folder: &Path, from: &str, issuer: &str) -> Result<Self, BadMail> {
        Mailer::new(Way::Folder(AsyncFileTransport::new(folder)), from, issuer)
    }

    fn new(way: Way, from: &str, issuer: &str) -> Result<Self, BadMail> {
        Ok(Mailer { way, from: from.parse()?, issuer: issuer.to_owned() })
    }

    /// Tells that so many things happened. `id` is the same whenever this mail is sent again.
    pub async fn send(&self, to: &str, language: MailLanguage, count: usize, id: Uuid) -> Sent {
        let Some(mail) = self.written(to, language, count, id) else {
            return Sent { ended: Ended::Refused, code: None, problem: Some("address") };
        };
        match &self.way {
            Way::Server(server) => match server.send(mail).await {
                Ok(answer) => Sent { ended: Ended::Delivered, code: code(Some(answer.code())), problem: None },
                Err(error) => refused(&error),
            },
            Way::Folder(folder) => match folder.send(mail).await {
                Ok(_) => Sent { ended: Ended::Delivered, code: None, problem: None },
                Err(_) => Sent { ended: Ended::Failed(None), code: None, problem: Some("folder") },
            },
        }
    }

    /// The mail; nothing where the address is none. lettre refuses line ends in header fields, and encodes the rest.
    fn written(&self, to: &str, language: MailLanguage, count: usize, id: Uuid) -> Option<Message> {
        let to: Address = to.parse().ok()?;
        let Words { subject, happened, look, why } = Words::of(language, count);
        let link = format!("{}/docs/", self.issuer);
        let text = format!("{happened}\n\n{look}\n{link}\n\n{why}\n");
        let html = format!(
            "<!doctype html>\n<html lang=\"{language}\"><body style=\"font-family: sans-serif\">\n<p>{happened}</p>\n\
             <p>{look}<br><a href=\"{link}\">{link}</a></p>\n<p style=\"color: #555\">{why}</p>\n</body></html>\n",
            link = escaped(&link),
        );
        let host = self.from.email.domain();
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(subject)
            .message_id(Some(format!("<{id}@{host}>")))
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
            .multipart(MultiPart::alternative_plain_html(text, html))
            .ok()
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// What a mail says.
struct Words {
    subject: &'static str,
    happened: String,
    look: &'static str,
    why: &'static str,
}

impl Words {
    fn of(language: MailLanguage, count: usize) -> Self {
        match language {
            MailLanguage::Ms => Words {
                subject: "Lindung: ada perkara baharu untuk agensi anda",
                happened: format!("Ada {count} perkara baharu untuk agensi anda dalam Lindung."),
                look: "Lihat butirannya dalam sistem agensi anda. Perkhidmatan:",
                why: "Mel ini tidak menyebut kes atau nama. Pentadbir agensi anda boleh mengubah atau menghentikannya.",
            },
            MailLanguage::En => Words {
                subject: "Lindung: something new for your agency",
                happened: match count {
                    1 => "There is 1 thing new for your agency in Lindung.".to_owned(),
                    many => format!("There are {many} things new for your agency in Lindung."),
                },
                look: "See what it is in your agency's own system. The service:",
                why: "This mail names no case and nobody. An administrator of your agency can change or end it.",
            },
        }
    }
}

fn code(code: Option<lettre::transport::smtp::response::Code>) -> Option<i32> {
    code.map(|it| i32::from(u16::from(it)))
}

/// There is no such mailbox, or it takes nothing (RFC 5321, 4.2.3; RFC 7504).
const NO_SUCH_MAILBOX: [i32; 5] = [521, 550, 551, 553, 556];
/// What is wrong between the mail server and us, not with this mail: it is tried again (RFC 4954; RFC 5321, 4.2.3).
const OURS: [i32; 9] = [500, 501, 502, 503, 504, 530, 534, 535, 538];

fn refused(error: &SmtpError) -> Sent {
    let answered = code(error.status());
    let (ended, problem) = match answered {
        Some(it) if NO_SUCH_MAILBOX.contains(&it) => (Ended::Gone(DisabledReason::Bounced), "bounced"),
        Some(it) if OURS.contains(&it) => (Ended::Failed(None), "mail-server"),
        Some(500..) => (Ended::Refused, "refused"),
        Some(_) => (Ended::Failed(None), "status"),
        None if error.is_timeout() => (Ended::Failed(None), "timeout"),
        None if error.is_tls() => (Ended::Failed(None), "tls"),
        None => (Ended::Failed(None), "connection"),
    };
    Sent { ended, code: answered, problem: Some(problem) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailer() -> Mailer {
        Mailer::to_folder(Path::new("/nowhere"), "Lindung <lindung@example.my>", "https://lindung.example").unwrap()
    }

    #[test]
    fn what_a_mail_says() {
        for (language, count) in [(MailLanguage::Ms, 3), (MailLanguage::En, 1)] {
            let mail = mailer().written("d11@example.my", language, count, Uuid::nil()).unwrap();
            let text = String::from_utf8(mail.formatted()).unwrap();
            // The date and the boundary differ each time.
            let boundary = text.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
            let steady: Vec<&str> = text.lines().filter(|it| !it.starts_with("Date:")).collect();
            insta::assert_snapshot!(language.as_str(), steady.join("\n").replace(&boundary, "BOUNDARY"));
        }
    }

    #[test]
    fn an_address_that_is_none_gets_none() {
        for address in ["", "nobody", "a@b.c\r\nBcc: d@e.f", "a@b.c\nX: y"] {
            assert!(mailer().written(address, MailLanguage::En, 1, Uuid::nil()).is_none(), "{address:?}");
        }
    }

    #[tokio::test]
    async fn it_is_encrypted_but_where_that_is_waived() {
        let by = |url: &str, plain| {
            Mailer::by_server(&Smtp { url: url.to_owned(), plain }, "a@example.my", "https://l").map(drop)
        };
        assert!(by("smtps://mail.example.my", false).is_ok());
        assert!(by("smtp://mail.example.my:587?tls=required", false).is_ok());
        assert!(matches!(by("smtp://mail.example.my:587?tls=opportunistic", false), Err(BadMail::Plain)));
        assert!(matches!(by("smtp://mail.example.my", false), Err(BadMail::Plain)));
        assert!(by("smtp://127.0.0.1:2525", true).is_ok());
        assert!(matches!(by("http://127.0.0.1", true), Err(BadMail::Server(_))));
    }
}
