//! A real server for tests: `PostgreSQL` of this machine, on a port and a socket of its own, with TLS, in a directory that goes with it.

#![expect(clippy::print_stdout, reason = "a skipped test says why")]

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Where Debian puts servers, by version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// The user that a server runs as where the tests run as root, since it refuses to be root's.
const USER: &str = "postgres";
/// The password of the user `privet`.
pub(crate) const PASSWORD: &str = "an apple a day";

/// A server.
pub(crate) struct Server {
    dir: tempfile::TempDir,
    bin: PathBuf,
    port: u16,
    /// The authority of its certificate, in PEM.
    pub(crate) authority: String,
}

impl Server {
    /// One with a database for each of those names; nothing, and said so, where no server is installed.
    pub(crate) fn with(databases: &[&str]) -> Option<Self> {
        match Self::start() {
            Ok(server) => {
                for database in databases {
                    server.sql("postgres", &format!("CREATE DATABASE {database}"));
                }
                Some(server)
            }
            Err(why) => {
                println!("skipped: {why}");
                None
            }
        }
    }

    /// Starts one; or why there is none.
    fn start() -> Result<Self, String> {
        let bin = binaries().ok_or_else(|| format!("no PostgreSQL server below {DEBIAN} or on the path (Debian: postgresql)"))?;
        let dir = tempfile::Builder::new().prefix("pg").tempdir().expect("what a server needs");
        let port = TcpListener::bind("127.0.0.1:0").expect("what a server needs").local_addr().expect("what a server needs").port();
        let mut params = CertificateParams::new(Vec::new()).expect("what a server needs");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority =
            CertifiedIssuer::self_signed(params, KeyPair::generate().expect("what a server needs")).expect("what a server needs");
        let key = KeyPair::generate().expect("what a server needs");
        let certificate = CertificateParams::new(vec!["localhost".to_owned()])
            .expect("what a server needs")
            .signed_by(&key, &authority)
            .expect("what a server needs");
        let server = Self { dir, bin, port, authority: authority.pem() };
        server.write("password", PASSWORD);
        server.write("server.pem", &certificate.pem());
        server.write("server.key", &key.serialize_pem());
        server.own();
        let data = server.data();
        let made = server.run("initdb", &["-U", "privet", "-A", "scram-sha-256", "--pwfile", &server.path("password"), "-D", &data]);
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        server.up();
        Ok(server)
    }

    fn write(&self, name: &str, text: &str) {
        write(&self.dir.path().join(name), text);
    }

    /// Gives the directory to the user that the server runs as.
    fn own(&self) {
        if !is_root() {
            return;
        }
        let id = |flag: &str| {
            let told = Command::new("id").args([flag, USER]).output().expect("what a server needs").stdout;
            String::from_utf8(told).expect("what a server needs").trim().parse::<u32>().expect("what a server needs")
        };
        let (user, group) = (Some(id("-u")), Some(id("-g")));
        chown(self.dir.path(), user, group).expect("what a server needs");
        for entry in std::fs::read_dir(self.dir.path()).expect("what a server needs") {
            chown(entry.expect("what a server needs").path(), user, group).expect("what a server needs");
        }
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    fn data(&self) -> String {
        self.path("data")
    }

    fn run(&self, program: &str, args: &[&str]) -> Output {
        let program = self.bin.join(program);
        let mut command = if is_root() { Command::new("setpriv") } else { Command::new(&program) };
        if is_root() {
            command.args(["--reuid", USER, "--regid", USER, "--clear-groups"]).arg(&program);
        }
        command.args(args).current_dir("/").env("LC_ALL", "C").output().expect("what a server needs")
    }

    /// Starts it again.
    pub(crate) fn up(&self) {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c ssl=on -c ssl_cert_file={} -c ssl_key_file={}",
            self.port,
            self.dir.path().display(),
            self.path("server.pem"),
            self.path("server.key")
        );
        let started = self.run("pg_ctl", &["-D", &self.data(), "-l", &self.path("log"), "-w", "-o", &options, "start"]);
        let log = || std::fs::read_to_string(self.path("log")).unwrap_or_default();
        assert!(started.status.success(), "{}{}", String::from_utf8_lossy(&started.stdout), log());
    }

    /// Stops it, as when its machine loses power.
    pub(crate) fn down(&self) {
        self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"]);
    }

    /// Runs SQL of a test's own in a database; what it printed.
    pub(crate) fn sql(&self, database: &str, sql: &str) -> String {
        let program = self.bin.join("psql");
        let mut command = Command::new(program);
        command.env("PGPASSWORD", PASSWORD).args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "privet", "-p"]);
        command.arg(self.port.to_string()).arg("-h").arg(self.dir.path()).args(["-d", database, "-c", sql]);
        let done = command.output().expect("what a server needs");
        assert!(done.status.success(), "{sql}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).expect("what a server needs").trim().to_owned()
    }

    /// The address of a database over TCP.
    pub(crate) fn tcp(&self, database: &str) -> String {
        format!("postgresql://privet@localhost:{}/{database}", self.port)
    }

    /// The address of a database over the socket.
    pub(crate) fn socket(&self, database: &str) -> String {
        let dir = self.dir.path().display().to_string().replace('/', "%2F");
        format!("postgresql://privet@{dir}:{}/{database}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.down();
    }
}

/// Writes a file that only its owner may read.
fn write(path: &Path, text: &str) {
    #[expect(clippy::disallowed_methods, reason = "shared with the integration tests, which have no `base` of their own")]
    std::fs::write(path, text).expect("what a server needs");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("what a server needs");
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The folder of the newest server that is installed.
fn binaries() -> Option<PathBuf> {
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let entries = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten().map(|entry| entry.path());
    let newest = entries.filter_map(|path| Some((version(&path)?, path.join("bin")))).max();
    let known = newest.map(|(_, bin)| bin).into_iter().chain(std::env::split_paths(&std::env::var_os("PATH")?).collect::<Vec<_>>());
    known.into_iter().find(|bin| ["initdb", "pg_ctl", "postgres", "psql"].iter().all(|name| bin.join(name).exists()))
}
