//! A headless Chromium, spoken to over a pipe: its DevTools protocol is JSON messages that end with a zero byte.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// A browser that says nothing for so long hangs.
const SILENCE: Duration = Duration::from_secs(60);

/// Says where the browser is, if not on the path.
const VARIABLE: &str = "LEASEHOLD_CHROMIUM";

const FLAGS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
];

/// One browser with one tab; everything that it complains of is kept.
pub(crate) struct Chromium {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    session: Option<String>,
    number: u64,
    complaints: Vec<String>,
    requests: Vec<String>,
    loaded: bool,
    _profile: TempDir,
}

impl Chromium {
    pub(crate) fn start() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let program = std::env::var_os(VARIABLE).unwrap_or_else(|| OsString::from("chromium"));
        // It reads from descriptor 3 and writes to 4; what it says on its own goes nowhere.
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1"])
            .arg(program)
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            for message in output.split(0) {
                let message = serde_json::from_slice(&message.unwrap_or_default());
                if message.map_or(true, |message| sender.send(message).is_err()) {
                    return;
                }
            }
        });
        let mut browser = Self {
            child,
            input,
            messages,
            session: None,
            number: 0,
            complaints: Vec::new(),
            requests: Vec::new(),
            loaded: false,
            _profile: profile,
        };
        browser.open_tab();
        browser
    }

    fn open_tab(&mut self) {
        let target = self.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self.call("Target.attachToTarget", &attach);
        self.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(&format!("{domain}.enable"), &json!({}));
        }
    }

    /// Calls a method and returns its result; events that come first are noted.
    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Value {
        self.number += 1;
        let mut message = json!({ "id": self.number, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut line = message.to_string().into_bytes();
        line.push(0);
        self.input.write_all(&line).unwrap();
        loop {
            let answer = self.next();
            if answer["id"] == json!(self.number) {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
        }
    }

    /// The next message. An event is noted.
    fn next(&mut self) -> Value {
        let silent = format!(
            "the browser says nothing: can {} be run?",
            std::env::var(VARIABLE).unwrap_or_else(|_| "chromium".to_owned())
        );
        let message = self.messages.recv_timeout(SILENCE).expect(&silent);
        let params = &message["params"];
        match message["method"].as_str() {
            Some("Runtime.exceptionThrown") => self.complaints.push(params.to_string()),
            Some("Runtime.consoleAPICalled") => self.complaints.push(params.to_string()),
            Some("Log.entryAdded") => self.complaints.push(params.to_string()),
            Some("Page.javascriptDialogOpening") => self.complaints.push(params.to_string()),
            Some("Network.requestWillBeSent") => {
                self.requests.push(params["request"]["url"].to_string());
            }
            Some("Page.loadEventFired") => self.loaded = true,
            _ => {}
        }
        message
    }

    /// Opens a file in a window of this size and colour scheme.
    pub(crate) fn open(&mut self, file: &Path, (width, height): (u32, u32), scheme: &str) {
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", &size);
        self.prefer(scheme);
        (self.loaded, self.requests) = (false, Vec::new());
        self.call("Page.navigate", &json!({ "url": format!("file://{}", file.display()) }));
        while !self.loaded {
            self.next();
        }
        self.settle();
    }

    pub(crate) fn prefer(&mut self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    /// Waits until what was asked for is on the screen.
    pub(crate) fn settle(&mut self) {
        self.eval("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))");
    }

    /// The value of an expression in the page.
    pub(crate) fn eval(&mut self, expression: &str) -> Value {
        let params =
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let told = self.call("Runtime.evaluate", &params);
        assert!(told["exceptionDetails"].is_null(), "{expression}: {told}");
        told["result"]["value"].clone()
    }

    pub(crate) fn number(&mut self, expression: &str) -> f64 {
        let value = self.eval(expression);
        value.as_f64().unwrap_or_else(|| panic!("{expression} is {value}"))
    }

    pub(crate) fn text(&mut self, expression: &str) -> String {
        let value = self.eval(expression);
        value.as_str().unwrap_or_else(|| panic!("{expression} is {value}")).to_owned()
    }

    pub(crate) fn holds(&mut self, expression: &str) -> bool {
        self.eval(expression) == json!(true)
    }

    /// The pointer moves, goes down or up, or its wheel turns (`delta`), at this point of the window.
    pub(crate) fn pointer(&mut self, kind: &str, (x, y): (f64, f64), delta: f64) {
        let held = u8::from(kind != "mouseReleased" && kind != "mouseWheel");
        let mut params = json!({ "type": kind, "x": x, "y": y, "deltaX": 0, "deltaY": delta });
        if kind == "mousePressed" || kind == "mouseReleased" {
            params["button"] = json!("left");
            params["buttons"] = json!(held);
            params["clickCount"] = json!(1);
        }
        self.call("Input.dispatchMouseEvent", &params);
        self.settle();
    }

    pub(crate) fn press(&mut self, key: &str) {
        let mut params = json!({ "type": "keyDown", "key": key });
        if key.chars().count() == 1 {
            params["text"] = json!(key);
        } else {
            let codes =
                [("Tab", 9), ("Enter", 13), ("Escape", 27), ("ArrowLeft", 37), ("ArrowRight", 39)];
            let code = codes.iter().find(|(name, _)| *name == key).map(|(_, code)| *code);
            params["windowsVirtualKeyCode"] = json!(code);
            params["code"] = json!(key);
        }
        self.call("Input.dispatchKeyEvent", &params);
        params["type"] = json!("keyUp");
        self.call("Input.dispatchKeyEvent", &params);
        self.settle();
    }

    /// Nothing was written to the console, and nothing but the page itself was asked for.
    pub(crate) fn assert_quiet(&mut self) {
        self.settle();
        assert!(self.complaints.is_empty(), "{:#?}", self.complaints);
        assert_eq!(self.requests.len(), 1, "{:?}", self.requests);
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // Asked to close it ends its children and leaves its profile alone, which then can be removed.
        let closing = b"{\"id\":0,\"method\":\"Browser.close\"}\0";
        if self.input.write_all(closing).is_err() || std::thread::panicking() {
            self.child.kill().ok();
        }
        self.child.wait().ok();
    }
}
