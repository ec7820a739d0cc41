//! A proxy before the server of the tests, that counts round trips and can fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::server::url;

/// What happens to the answers of the server.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Answers {
    Pass,
    /// They are kept back.
    Keep,
    /// The connection is cut instead of the next one.
    Cut,
}

/// A proxy. It ends with its test's runtime.
pub(crate) struct Proxy {
    pub(crate) url: String,
    answers: Arc<AtomicU8>,
    /// How often a client has sent something after it had got an answer, or at first.
    pub(crate) round_trips: Arc<AtomicUsize>,
}

impl Proxy {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (before, after) = url().split_once('@').unwrap();
        let (place, path) = after.split_once('/').unwrap();
        let url = format!("{before}@127.0.0.1:{port}/{path}");
        let (answers, round_trips) = (Arc::default(), Arc::default());
        let proxy = Self { url, answers: Arc::clone(&answers), round_trips };
        let place = place.to_owned();
        let trips = Arc::clone(&proxy.round_trips);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(&place).await else { break };
                tokio::spawn(join(client, server, Arc::clone(&answers), Arc::clone(&trips)));
            }
        });
        proxy
    }

    pub(crate) fn answer(&self, answers: Answers) {
        self.answers.store(answers as u8, Ordering::Relaxed);
    }
}

async fn join(
    mut client: TcpStream,
    mut server: TcpStream,
    answers: Arc<AtomicU8>,
    round_trips: Arc<AtomicUsize>,
) {
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    let mut is_answered = true;
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(count @ 1..) = read else { return };
                round_trips.fetch_add(usize::from(is_answered), Ordering::Relaxed);
                is_answered = false;
                if server.write_all(&asked[..count]).await.is_err() { return }
            }
            read = server.read(&mut answered) => {
                let Ok(count @ 1..) = read else { return };
                is_answered = true;
                let answer = answers.load(Ordering::Relaxed);
                if answer == Answers::Cut as u8 {
                    answers.store(Answers::Pass as u8, Ordering::Relaxed);
                    return;
                }
                let passes = answer == Answers::Pass as u8;
                if passes && client.write_all(&answered[..count]).await.is_err() { return }
            }
        }
    }
}
