//! Something that listens on a port of its own, dies, and comes back there.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

type Serve = Arc<dyn Fn(TcpStream) -> BoxFuture<'static, ()> + Send + Sync>;

pub(crate) struct Mortal {
    pub(crate) port: u16,
    serve: Serve,
    accepting: Option<JoinHandle<()>>,
}

impl Mortal {
    /// Starts one that serves each connection like this.
    pub(crate) async fn start<F>(serve: impl Fn(TcpStream) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut made = Mortal { port: 0, serve: Arc::new(move |it| serve(it).boxed()), accepting: None };
        made.comes_back().await;
        made
    }

    /// Is there no more: connections end, and others are refused.
    pub(crate) async fn dies(&mut self) {
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
            accepting.await.ok();
        }
    }

    /// Is there again, on the same port.
    pub(crate) async fn comes_back(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
        self.port = listener.local_addr().unwrap().port();
        self.accepting = Some(tokio::spawn(accept(listener, self.serve.clone())));
    }
}

async fn accept(listener: TcpListener, serve: Serve) {
    // Connections end with whoever accepted them.
    let mut open = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        open.spawn(serve(stream));
    }
}
