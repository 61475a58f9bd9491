//! Waiting for the operator's wish to stop.

use crate::base::StopToken;
use std::time::Duration;

/// How often the wish is looked for: what a person takes for "at once".
const LOOK: Duration = Duration::from_millis(100);

/// Waits until `stop` is raised.
pub(super) async fn stopped(stop: StopToken) {
    while !stop.is_stopped() {
        tokio::time::sleep(LOOK).await;
    }
}
