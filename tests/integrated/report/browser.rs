//! A page in a real browser, without a window: its document as the browser understands it, and how
//! it looks.
//!
//! `PROPICE_BROWSER` names a Chromium, or is `none`. Without it the usual names are looked for on
//! the path.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const NAMES: [&str; 6] =
    ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const PATIENCE: Duration = Duration::from_mins(2);

/// A browser that is there.
pub(crate) struct Browser(PathBuf);

/// What a page is looked at through.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) dark: bool,
}

/// The browser, or `None` when it is said that there is none.
pub(crate) fn browser() -> Option<Browser> {
    match std::env::var_os("PROPICE_BROWSER") {
        Some(none) if none == "none" => {
            crate::skipped::skipped("the page of the report in a browser: PROPICE_BROWSER=none");
            return None;
        }
        Some(path) => return Some(Browser(path.into())),
        None => {}
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut all = std::env::split_paths(&path).flat_map(|folder| NAMES.map(|name| folder.join(name)));
    let found = all.find(|path| path.is_file());
    assert!(
        found.is_some(),
        "NO BROWSER: the page of `propice report` was NOT looked at. Install Chromium (Debian: apt-get install \
         chromium-headless-shell), name one with PROPICE_BROWSER=/path/to/chromium, or say PROPICE_BROWSER=none to go without."
    );
    found.map(Browser)
}

impl Browser {
    /// Runs the browser on a page, and gives what it says on standard output.
    fn run(&self, page: &Path, options: &[String]) -> String {
        let profile = tempfile::tempdir().expect("a folder");
        let mut child = Command::new(&self.0)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"])
            .arg("--force-device-scale-factor=1")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(options)
            .arg(format!("file://{}", page.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not run: {error}", self.0.display()));
        let mut out = child.stdout.take().expect("its output");
        let reader = std::thread::spawn(move || {
            let mut text = String::new();
            out.read_to_string(&mut text).map(|_| text)
        });
        wait(&mut child);
        reader.join().expect("its output was read").expect("its output is text")
    }

    /// The document as the browser has understood it.
    pub(crate) fn document(&self, page: &Path) -> String {
        self.run(page, &["--dump-dom".to_owned()])
    }

    /// What a script says of a page in a window of this width. The page itself forbids scripts: a
    /// copy of it is looked at that allows them. The script gives a text.
    pub(crate) fn measured(&self, page: &Path, width: u32, script: &str) -> String {
        let text = fs::read_to_string(page).expect("the page");
        let text: Vec<&str> = text.lines().filter(|line| !line.contains("Content-Security-Policy")).collect();
        let told = format!(
            "<script>window.onload = function () {{ var told = document.createElement('pre'); told.textContent = 'TOLD[' + ({script})() + ']TOLD'; \
             document.body.appendChild(told); }};</script></body>"
        );
        let copy = page.with_extension(format!("{width}.measured.html"));
        fs::write(&copy, text.join("\n").replace("</body>", &told)).expect("the copy is written");
        let shown = self.run(&copy, &[format!("--window-size={width},900"), "--dump-dom".to_owned()]);
        let told = shown.rsplit("TOLD[").next().and_then(|told| told.split("]TOLD").next()).expect("what it says");
        told.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    }

    /// A picture of the page, which stands beside it afterwards.
    pub(crate) fn picture(&self, page: &Path, window: Window, name: &str) -> PathBuf {
        let Window { width, height, dark } = window;
        let shade = if dark { "dark" } else { "light" };
        let picture = page.with_extension(format!("{width}.{shade}.{name}.png"));
        let _ = fs::remove_file(&picture);
        let options = [
            format!("--window-size={width},{height}"),
            format!("--screenshot={}", picture.display()),
            format!("--blink-settings=preferredColorScheme={}", i32::from(!dark)),
        ];
        self.run(page, &options);
        assert!(picture.is_file(), "the browser took no picture of {}", page.display());
        picture
    }
}

fn wait(child: &mut Child) {
    let started = Instant::now();
    while child.try_wait().expect("its state").is_none() {
        if started.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("the browser did not end within {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The pixels of a PNG of eight bits a channel, as browsers write it.
pub(crate) fn pixels(path: &Path) -> Vec<[u8; 3]> {
    let bytes = fs::read(path).expect("a picture");
    assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"), "{} is no PNG", path.display());
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize;
    let (width, height, depth, colour) = (number(16), number(20), bytes[24], bytes[25]);
    let channels = match (depth, colour) {
        (8, 2) => 3,
        (8, 6) => 4,
        other => panic!("a PNG of another kind: {other:?}"),
    };
    let (mut packed, mut at) = (Vec::new(), 8);
    while at < bytes.len() {
        let length = number(at);
        if &bytes[at + 4..at + 8] == b"IDAT" {
            packed.extend_from_slice(&bytes[at + 8..at + 8 + length]);
        }
        at += length + 12;
    }
    let mut rows = Vec::new();
    flate2::read::ZlibDecoder::new(&packed[..]).read_to_end(&mut rows).expect("it unpacks");
    let stride = width * channels;
    let mut above = vec![0; stride];
    let mut pixels = Vec::with_capacity(width * height);
    for row in rows.chunks_exact(stride + 1) {
        above = unfiltered(row[0], &row[1..], &above, channels);
        pixels.extend(above.chunks_exact(channels).map(|pixel| [pixel[0], pixel[1], pixel[2]]));
    }
    assert_eq!(pixels.len(), width * height);
    pixels
}

/// A row of a PNG (its section 9).
fn unfiltered(filter: u8, row: &[u8], above: &[u8], channels: usize) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(row.len());
    for (at, byte) in row.iter().enumerate() {
        let left = at.checked_sub(channels).map_or(0, |at| out[at]);
        let corner = at.checked_sub(channels).map_or(0, |at| above[at]);
        let up = above[at];
        let guess = match filter {
            0 => 0,
            1 => left,
            2 => up,
            3 => u8::midpoint(left, up),
            _ => paeth(left, up, corner),
        };
        out.push(byte.wrapping_add(guess));
    }
    out
}

fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let guess = i16::from(left) + i16::from(up) - i16::from(corner);
    let far = |of: u8| (guess - i16::from(of)).abs();
    if far(left) <= far(up) && far(left) <= far(corner) {
        left
    } else if far(up) <= far(corner) {
        up
    } else {
        corner
    }
}
