//! One small thread pool, built when the first long computation needs it.

use std::sync::{Arc, Mutex, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

/// The pool and the process it belongs to: threads do not survive a fork, so a forked child builds its own.
static POOL: Mutex<Option<(u32, Arc<ThreadPool>)>> = Mutex::new(None);

fn pool() -> Option<Arc<ThreadPool>> {
    let process = std::process::id();
    let mut slot = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    match &*slot {
        Some((owner, pool)) if *owner == process => Some(pool.clone()),
        _ => {
            let fresh = Arc::new(ThreadPoolBuilder::new().build().ok()?);
            if let Some((_, dead)) = slot.replace((process, fresh.clone())) {
                // Dropping a pool wakes its threads, and these are gone.
                std::mem::forget(dead);
            }
            Some(fresh)
        }
    }
}

/// Run `work` on the pool, where rayon splits it over all cores (RAYON_NUM_THREADS says how many otherwise).
pub fn on_all_cores<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    match pool() {
        Some(pool) => pool.install(work),
        None => work(),
    }
}
