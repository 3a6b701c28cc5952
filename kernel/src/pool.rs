//! One small thread pool, built when the first long computation needs it, and elementwise work on it.

use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::field::Fr;

/// Elementwise work at least this long is split over the cores.
pub const PARALLEL: usize = 1 << 14;

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

/// f((k, lists[k])) for every list, the longest of so many elements.
pub fn each(lists: &mut [Vec<Fr>], longest: usize, f: impl Fn((usize, &mut Vec<Fr>)) + Sync + Send) {
    // A transform touches each element more than ten times.
    if 10 * longest * lists.len() < PARALLEL {
        return lists.iter_mut().enumerate().for_each(f);
    }
    on_all_cores(|| lists.par_iter_mut().enumerate().with_max_len(1).for_each(f));
}

/// f(values[i]) for every i.
pub fn map(values: &[Fr], f: impl Fn(Fr) -> Fr + Sync + Send) -> Vec<Fr> {
    if values.len() < PARALLEL {
        return values.iter().map(|&a| f(a)).collect();
    }
    on_all_cores(|| values.par_iter().with_min_len(1024).map(|&a| f(a)).collect())
}

/// f(left[i], right[i]) for every i.
pub fn zip(left: &[Fr], right: &[Fr], f: impl Fn(Fr, Fr) -> Fr + Sync + Send) -> Vec<Fr> {
    if left.len() < PARALLEL {
        return left.iter().zip(right).map(|(&a, &b)| f(a, b)).collect();
    }
    on_all_cores(|| left.par_iter().zip(right).with_min_len(1024).map(|(&a, &b)| f(a, b)).collect())
}
