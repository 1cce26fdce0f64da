//! A server in front of the emulator: it answers as AWS does where the emulator cannot.
use crate::support;
use aws_core::cloud::{Cloud, ConnectOptions};
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
};
use tiny_http::{Header, Request, Response, Server};

/// A call of the EC2 API.
pub(crate) struct Question {
    /// `DescribeVpcs`; empty for other services.
    pub(crate) action: String,
    form: Vec<(String, String)>,
}
impl Question {
    /// A parameter of the call.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        self.form.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone())
    }
}

/// What is answered.
pub(crate) struct Answer {
    status: u16,
    kind: String,
    /// XML.
    pub(crate) body: String,
}
impl Answer {
    /// A success that tells this.
    pub(crate) fn with(action: &str, inner: &str) -> Self {
        let xmlns = "http://ec2.amazonaws.com/doc/2016-11-15/";
        let body = format!("<{action}Response xmlns=\"{xmlns}\"><requestId>1</requestId>{inner}</{action}Response>");
        Self { status: 200, kind: "text/xml".into(), body }
    }
    /// A success without more.
    pub(crate) fn empty(action: &str) -> Self {
        Self::with(action, "<return>true</return>")
    }
}

/// The server; it ends when this is dropped.
pub(crate) struct Front(Arc<Server>);
impl Drop for Front {
    fn drop(&mut self) {
        self.0.unblock();
    }
}
impl Front {
    /// Answers by this rule, which may ask the emulator.
    pub(crate) fn new(rule: impl Fn(&Question, &mut dyn FnMut() -> Answer) -> Answer + Send + 'static) -> Self {
        let server = Arc::new(Server::http("127.0.0.1:0").unwrap());
        let (front, moto) = (Self(server.clone()), support::endpoint());
        std::thread::spawn(move || {
            for mut request in server.incoming_requests() {
                let mut body = Vec::new();
                request.as_reader().read_to_end(&mut body).unwrap();
                let form: Vec<(String, String)> = url::form_urlencoded::parse(&body).into_owned().collect();
                let action = form.iter().find(|(n, _)| n == "Action").map(|(_, v)| v.clone()).unwrap_or_default();
                let answer = rule(&Question { action, form }, &mut || forward(&moto, &request, &body));
                let kind = Header::from_bytes("Content-Type", answer.kind).unwrap();
                let response = Response::from_data(answer.body).with_status_code(answer.status).with_header(kind);
                let _ = request.respond(response);
            }
        });
        front
    }

    /// A connection through it.
    pub(crate) async fn cloud(&self) -> Cloud {
        let options = ConnectOptions {
            region: Some(support::REGION.into()),
            tool: "overlord",
            endpoint: Some(format!("http://{}", self.0.server_addr())),
            credentials: Some(("testing".into(), "testing".into())),
            ..ConnectOptions::default()
        };
        Cloud::connect(options).await.expect("a region is given")
    }
}

/// Asks the emulator, with HTTP 1.0: the answer ends with the connection.
fn forward(moto: &str, request: &Request, body: &[u8]) -> Answer {
    let mut connection = TcpStream::connect(moto.trim_start_matches("http://")).unwrap();
    write!(connection, "{} {} HTTP/1.0\r\n", request.method(), request.url()).unwrap();
    for header in request.headers() {
        if !["Connection", "Content-Length", "Transfer-Encoding"].iter().any(|h| header.field.equiv(h)) {
            write!(connection, "{}: {}\r\n", header.field, header.value).unwrap();
        }
    }
    write!(connection, "Content-Length: {}\r\nConnection: close\r\n\r\n", body.len()).unwrap();
    connection.write_all(body).unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let kind = head.lines().find_map(|l| l.to_lowercase().strip_prefix("content-type: ").map(str::to_owned));
    Answer { status, kind: kind.unwrap_or_default(), body: body.to_owned() }
}
