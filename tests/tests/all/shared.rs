//! The gateway that tests share. Each takes an organization of its own in it.

use gatewright_tests::{Client, Organization, Server};
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError, Weak};

static RUNNING: Mutex<Weak<Server>> = Mutex::new(Weak::new());

/// The shared gateway. It runs as long as a test holds it: a `static` would leave it behind.
pub(crate) fn server() -> Arc<Server> {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(server) = running.upgrade() {
        return server;
    }
    let server = Arc::new(Server::generic());
    *running = Arc::downgrade(&server);
    server
}

/// An organization in the shared gateway.
pub(crate) struct Tenant {
    pub(crate) server: Arc<Server>,
    organization: Organization,
}

impl Tenant {
    pub(crate) fn new(name: &str) -> Self {
        let server = server();
        let organization = Organization::create(&server.api(), name);
        Self {
            server,
            organization,
        }
    }

    /// One more organization in the same gateway.
    pub(crate) fn another(&self, name: &str) -> Organization {
        Organization::create(&self.server.api(), name)
    }

    /// What needs no organization: paths below `/api/v1`, with an operator's key.
    pub(crate) fn api(&self) -> Client {
        self.server.api()
    }
}

impl Deref for Tenant {
    type Target = Organization;

    fn deref(&self) -> &Organization {
        &self.organization
    }
}

/// Numbers that look random, the same in each run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }
}
