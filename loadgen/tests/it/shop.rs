//! A shop of its own for each test: real TCP, with delays that are known and measured on this side.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Longest wait for anything that must come; only a failing test waits it out.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// One request, as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) cookie: Option<String>,
    pub(crate) body: String,
}

/// What the shop does with a request.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
    /// Time before the head of the answer.
    pub(crate) head_after: Duration,
    /// Time between the head with half of the body, and the rest.
    pub(crate) rest_after: Duration,
    /// Closes the connection after half of the body.
    pub(crate) break_off: bool,
}

impl Reply {
    pub(crate) fn ok() -> Self {
        Self::status(200)
    }

    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: "an answer of some length".to_owned(),
            head_after: Duration::ZERO,
            rest_after: Duration::ZERO,
            break_off: false,
        }
    }

    /// Answers after `delay`, one half of it before the head and the other within the body.
    pub(crate) fn after(mut self, delay: Duration) -> Self {
        self.head_after = delay / 2;
        self.rest_after = delay - delay / 2;
        self
    }

    pub(crate) fn with(mut self, header: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((header, value.into()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<String>) -> Self {
        self.body = body.into();
        self
    }
}

/// One request and its answer, as the shop measured them.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    pub(crate) request: Request,
    /// When the request had come in whole.
    pub(crate) came: Instant,
    /// When the answer had been written whole.
    pub(crate) done: Instant,
}

impl Served {
    pub(crate) fn took(&self) -> Duration {
        self.done - self.came
    }
}

#[derive(Default)]
struct State {
    came: usize,
    served: Vec<Served>,
    open: Vec<TcpStream>,
    closed: bool,
    at_once: usize,
    most_at_once: usize,
}

type Answer = Box<dyn Fn(usize, &Request) -> Reply + Send + Sync>;

struct Inner {
    state: Mutex<State>,
    changed: Condvar,
    answer: Answer,
    count: AtomicUsize,
}

/// A running shop; it closes when dropped.
pub(crate) struct Shop {
    pub(crate) address: SocketAddr,
    inner: Arc<Inner>,
    acceptor: Option<JoinHandle<()>>,
}

impl Shop {
    /// Opens on a free port. `answer` gets the number of the request, from 0, and the request.
    pub(crate) fn open(answer: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::open_at(([127, 0, 0, 1], 0).into(), answer)
    }

    pub(crate) fn open_at(
        address: SocketAddr,
        answer: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).expect("the port is free");
        let address = listener.local_addr().expect("it is bound");
        let inner = Arc::new(Inner {
            state: Mutex::default(),
            changed: Condvar::new(),
            answer: Box::new(answer),
            count: AtomicUsize::new(0),
        });
        let acceptor = thread::spawn({
            let inner = Arc::clone(&inner);
            move || inner.accept(&listener)
        });
        Self {
            address,
            inner,
            acceptor: Some(acceptor),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until so many requests have come in.
    pub(crate) fn wait_for(&self, requests: usize) {
        let (state, timeout) = self
            .inner
            .changed
            .wait_timeout_while(self.inner.lock(), PATIENCE, |s| s.came < requests)
            .expect("no panic in the shop");
        assert!(
            !timeout.timed_out(),
            "only {} of {requests} requests came",
            state.came
        );
    }

    /// The requests answered so far, in the order in which they came.
    pub(crate) fn served(&self) -> Vec<Served> {
        let mut served = self.inner.lock().served.clone();
        served.sort_by_key(|s| s.came);
        served
    }

    /// Most requests that were under way together.
    pub(crate) fn most_at_once(&self) -> usize {
        self.inner.lock().most_at_once
    }

    /// Closes the port and breaks every connection.
    pub(crate) fn close(mut self) -> Vec<Served> {
        self.shut();
        self.served()
    }

    fn shut(&mut self) {
        {
            let mut state = self.inner.lock();
            state.closed = true;
            for stream in state.open.drain(..) {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
        self.inner.changed.notify_all();
        // Wakes the acceptor, which then gives the port back.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.shut();
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic in the shop")
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming().flatten() {
            let mut state = self.lock();
            if state.closed {
                return;
            }
            state
                .open
                .push(stream.try_clone().expect("a second handle"));
            let inner = Arc::clone(self);
            // Ends with its connection.
            thread::spawn(move || inner.serve(stream));
        }
    }

    fn serve(&self, mut stream: TcpStream) -> Option<()> {
        stream.set_nodelay(true).ok()?;
        let mut buffer = Vec::new();
        loop {
            let request = read_request(&mut stream, &mut buffer)?;
            let came = Instant::now();
            let number = self.count.fetch_add(1, Ordering::SeqCst);
            {
                let mut state = self.lock();
                state.came += 1;
                state.at_once += 1;
                state.most_at_once = state.most_at_once.max(state.at_once);
            }
            self.changed.notify_all();
            let reply = (self.answer)(number, &request);
            let (first, rest) = reply.body.split_at(reply.body.len() / 2);
            let begun = self.begin(&mut stream, &reply, first);
            // Before the last bytes: who has them may ask again at once.
            self.lock().at_once -= 1;
            let written = begun.and_then(|()| match reply.break_off {
                true => Ok(()),
                false => stream.write_all(rest.as_bytes()),
            });
            let done = Instant::now();
            let mut state = self.lock();
            written.ok()?;
            state.served.push(Served {
                request,
                came,
                done,
            });
            drop(state);
            if reply.break_off {
                stream.shutdown(Shutdown::Both).ok()?;
                return None;
            }
        }
    }

    /// Writes all but the end of the body, each part when it is due.
    fn begin(&self, stream: &mut TcpStream, reply: &Reply, first: &str) -> io::Result<()> {
        let mut head = format!(
            "HTTP/1.1 {} Status\r\ncontent-length: {}\r\n",
            reply.status,
            reply.body.len()
        );
        for (name, value) in &reply.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        self.pause(reply.head_after)?;
        stream.write_all(head.as_bytes())?;
        stream.write_all(first.as_bytes())?;
        if reply.break_off {
            return Ok(());
        }
        self.pause(reply.rest_after)
    }

    /// Waits for at least `time`, or until the shop closes.
    fn pause(&self, time: Duration) -> io::Result<()> {
        let end = Instant::now() + time;
        let mut state = self.lock();
        loop {
            if state.closed {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            state = self
                .changed
                .wait_timeout(state, left)
                .expect("no panic in the shop")
                .0;
        }
    }
}

fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Request> {
    let mut chunk = [0; 4096];
    loop {
        if let Some((request, length)) = parse(buffer) {
            buffer.drain(..length);
            return Some(request);
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return None,
            Ok(n) => buffer.extend_from_slice(&chunk[..n]),
        }
    }
}

/// The request in `bytes` and its length, once it is there whole.
fn parse(bytes: &[u8]) -> Option<(Request, usize)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let header = |wanted: &str| {
        head.lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.trim().to_owned())
    };
    let length = header("content-length").map_or(0, |n| n.parse().expect("a length"));
    let body = body.get(..length)?.to_owned();
    let request = Request {
        method,
        path,
        cookie: header("cookie"),
        body,
    };
    Some((request, head.len() + 4 + length))
}
