//! `podtrail worker`: runs parts of the queries of other processes.

use std::io::Write;
use std::num::NonZero;
use std::thread::available_parallelism;

use anyhow::Context;
use futures::future::poll_immediate;
use podtrail_cluster::{Worker, WorkerOptions};
use tokio::runtime::Builder;

use crate::args::WorkerArgs;
use crate::engine::STACK;
use crate::exit::Exit;
use crate::query_engine::access;
use crate::{output, stop};

pub(crate) fn run(arguments: &WorkerArgs) -> anyhow::Result<Exit> {
    let options = WorkerOptions {
        listen: arguments.listen,
        memory: arguments.memory,
        spill_dir: arguments.spill_dir.clone(),
        access: access(&arguments.access)?,
        client_certificates: arguments.tls_client_certificates,
    };
    // Plans are decoded and walked recursively, as in the process that sends them.
    // Twice as many threads as cores: connections are served while plans compute.
    let cores = available_parallelism().map_or(1, NonZero::get);
    let threads = Builder::new_multi_thread()
        .enable_all()
        .worker_threads(2 * cores + 1)
        .thread_stack_size(STACK)
        .build();
    let threads = threads.context("cannot start threads")?;
    let served = threads.block_on(async {
        let worker = Worker::listen(options).await?;
        let mut stop = Box::pin(stop::asked_to_stop());
        // Signals count from here on, before anyone knows the address.
        let is_stopped = poll_immediate(&mut stop).await.is_some_and(|asked| asked.is_ok());
        let mut out = output::raw_stdout();
        writeln!(out, "{}", worker.address()?)?;
        out.flush()?;
        let stop = async {
            // If signals cannot be received, the worker runs until it is killed.
            if !is_stopped && stop.await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        Ok::<_, anyhow::Error>(worker.serve(stop).await?)
    });
    threads.shutdown_background();
    served.map(|()| Exit::Ok)
}
