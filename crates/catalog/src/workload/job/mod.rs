//! What is known about Jobs and CronJobs: how runs ended (`runs`), when runs are due
//! (`schedule`), why a CronJob starts none (`cron`) and what to do about it (`advice`). Must
//! not report anything: that is the failure kind's own.

pub(super) mod advice;
pub(super) mod cron;
pub(super) mod runs;
pub(super) mod schedule;
