//! A small HTTP server: one handler for all requests of a port.
use crate::Answer;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, Response, body::Incoming, header, http::request, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, future::Future, net::SocketAddr};
use tokio::{net::TcpListener, sync::watch};

/// The largest body: an object in a bucket may be larger, a sandbox's are not.
const LARGEST: usize = 256 << 20;

/// A request that was read whole.
pub(crate) struct Whole {
    /// Method, path, headers.
    pub(crate) head: request::Parts,
    /// The body.
    pub(crate) body: Bytes,
    /// Who asks.
    pub(crate) peer: SocketAddr,
}

/// Answers requests until told to stop.
pub(crate) async fn serve<H, F>(listener: TcpListener, mut stop: watch::Receiver<bool>, handler: H)
where
    H: Fn(Whole) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send,
{
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        // Too many open files, or a caller that went away: the next one may do.
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            continue;
        };
        let handler = handler.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let handler = handler.clone();
                async move {
                    let (head, body) = request.into_parts();
                    let answer = match Limited::new(body, LARGEST).collect().await {
                        Ok(body) => handler(Whole { head, body: body.to_bytes(), peer }).await,
                        Err(e) => plain(413, &format!("{e}\n")),
                    };
                    Ok::<_, Infallible>(answer)
                }
            });
            // A connection that breaks is its caller's to know.
            let _ = http1::Builder::new().half_close(true).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// A short text.
pub(crate) fn plain(status: u16, text: &str) -> Response<Full<Bytes>> {
    response(Answer { status, content_type: "text/plain", body: text.to_owned() })
}

/// An answer as HTTP.
pub(crate) fn response(answer: Answer) -> Response<Full<Bytes>> {
    let builder = Response::builder().status(answer.status).header(header::CONTENT_TYPE, answer.content_type);
    builder.body(Full::new(Bytes::from(answer.body))).unwrap_or_default()
}
