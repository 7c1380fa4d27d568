//! A real registry (Debian's `docker-registry`) on a port of its own, filled by the test over its own protocol.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use mini_layers::Digest;
use serde_json::{Value, json};

use crate::harness::{Engine, PATIENCE};
use crate::needs;
use crate::token_server::TokenServer;

pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A registry that ends with the test.
pub(crate) struct Registry {
    server: Child,
    port: u16,
    directory: PathBuf,
    agent: ureq::Agent,
}

impl Registry {
    /// Starts one whose files are among those of the test.
    pub(crate) fn start(engine: &Engine) -> Option<Self> {
        Self::with(engine, "registry.yml", &json!({}), &json!({}))
    }

    /// Starts another one over the same files, which speaks TLS with a certificate of the test's own authority, and lets
    /// in `me` with the password `s3cret`.
    pub(crate) fn start_guarded(engine: &Engine) -> Option<Self> {
        let authority = certificates(engine)?;
        let path = |name: &str| authority.with_file_name(name);
        let tls = json!({ "certificate": path("server.crt"), "key": path("server.key") });
        Self::with(engine, "guarded.yml", &tls, &password(engine))
    }

    /// As [`Self::start_guarded`], but without TLS, so that somebody can stand in the way.
    pub(crate) fn start_with_password(engine: &Engine) -> Option<Self> {
        Self::with(engine, "password.yml", &json!({}), &password(engine))
    }

    /// Starts another one over the same files, which wants tokens of this server.
    pub(crate) fn start_with_tokens(engine: &Engine, tokens: &TokenServer) -> Option<Self> {
        let auth = json!({ "token": {
            "realm": tokens.realm(), "service": "test", "issuer": "test", "rootcertbundle": tokens.certificate(),
        } });
        Self::with(engine, "tokens.yml", &json!({}), &auth)
    }

    /// What the client of a guarded registry needs to trust it, below a directory for `DOCKER_CONFIG`.
    pub(crate) fn trust(&self, engine: &Engine, docker: &Path) {
        let trusted = docker.join("certs.d").join(self.address());
        std::fs::create_dir_all(&trusted).unwrap();
        std::fs::copy(engine.path("ca.crt"), trusted.join("ca.crt")).unwrap();
    }

    fn with(engine: &Engine, file: &str, tls: &Value, auth: &Value) -> Option<Self> {
        if !needs::program("docker-registry") {
            return None;
        }
        let directory = engine.path("registry");
        let port = free_port();
        let mut config = json!({
            "version": "0.1", "log": { "level": "error" },
            "storage": { "filesystem": { "rootdirectory": directory } },
            "http": { "addr": format!("127.0.0.1:{port}") },
        });
        for (section, value) in [("tls", tls), ("auth", auth)] {
            let place = if section == "tls" { &mut config["http"] } else { &mut config };
            if value != &json!({}) {
                place[section] = value.clone();
            }
        }
        // JSON is YAML.
        let config = engine.file(file, config.to_string());
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let registry = Self { server: command.spawn().unwrap(), port, directory, agent: ureq::agent() };
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "the registry does not start");
            sleep(Duration::from_millis(20));
        }
        Some(registry)
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Takes in a blob; returns its descriptor.
    pub(crate) fn blob(&self, repository: &str, media_type: &str, content: &[u8]) -> Value {
        let digest = Digest::of(content);
        let started = self.agent.post(&self.url(repository, "blobs/uploads/")).send_empty().unwrap();
        let location = started.headers()["location"].to_str().unwrap().to_owned();
        let url = format!("{location}&digest={digest}");
        self.agent.put(&url).content_type("application/octet-stream").send(content).unwrap();
        json!({ "mediaType": media_type, "digest": digest.to_string(), "size": content.len() })
    }

    /// Takes in a manifest or index under a tag or digest; returns its descriptor.
    pub(crate) fn manifest(&self, repository: &str, tag: &str, media_type: &str, content: &Value) -> Value {
        let text = content.to_string();
        let url = self.url(repository, &format!("manifests/{tag}"));
        self.agent.put(&url).content_type(media_type).send(text.as_bytes()).unwrap();
        json!({ "mediaType": media_type, "digest": Digest::of(text.as_bytes()).to_string(), "size": text.len() })
    }

    /// Takes in an image of these layers; returns its manifest's descriptor.
    pub(crate) fn image(&self, repository: &str, tag: &str, architecture: &str, layers: &[&[u8]]) -> Value {
        let diff_ids: Vec<String> = layers.iter().map(|tar| Digest::of(tar).to_string()).collect();
        let config = json!({
            "architecture": architecture, "os": "linux", "config": { "Cmd": ["sh"] },
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        let config = config.to_string();
        let config = self.blob(repository, "application/vnd.oci.image.config.v1+json", config.as_bytes());
        let layers: Vec<Value> = layers
            .iter()
            .map(|tar| self.blob(repository, "application/vnd.oci.image.layer.v1.tar+gzip", &gzip(tar)))
            .collect();
        let manifest =
            json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers });
        self.manifest(repository, tag, MANIFEST, &manifest)
    }

    /// The digest that a tag leads to.
    pub(crate) fn digest_of(&self, repository: &str, tag: &str) -> String {
        let head = self.agent.head(&self.url(repository, &format!("manifests/{tag}")));
        let answer = head.header("accept", MANIFEST).call().unwrap();
        answer.headers()["docker-content-digest"].to_str().unwrap().to_owned()
    }

    /// The file in which the registry keeps a blob.
    pub(crate) fn file_of(&self, digest: &str) -> PathBuf {
        let hex = digest.trim_start_matches("sha256:");
        self.directory.join(format!("docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]))
    }

    fn url(&self, repository: &str, rest: &str) -> String {
        format!("http://{}/v2/{repository}/{rest}", self.address())
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Lets in `me` with the password `s3cret`.
fn password(engine: &Engine) -> Value {
    let users = "me:$2y$05$YquzCuw/pM4w6NmU/u0UtOQMFYFCFpVMiUwd29tbbqj9Rhatv3hnO\n";
    json!({ "htpasswd": { "realm": "test", "path": engine.file("htpasswd", users) } })
}

/// Makes an authority and a certificate of it for this machine; returns the authority's.
fn certificates(engine: &Engine) -> Option<PathBuf> {
    if !needs::program("openssl") {
        return None;
    }
    let extension = engine.file("san", "subjectAltName=IP:127.0.0.1,DNS:registry.test");
    let directory = extension.parent().unwrap().to_owned();
    let openssl = |line: &str| {
        let done = Command::new("openssl").args(line.split(' ')).current_dir(&directory).output().unwrap();
        assert!(done.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&done.stderr));
    };
    openssl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.crt");
    openssl("req -newkey rsa:2048 -nodes -subj /CN=registry -keyout server.key -out server.csr");
    openssl(
        "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile san -out server.crt",
    );
    Some(directory.join("ca.crt"))
}

pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
