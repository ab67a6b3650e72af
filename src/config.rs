//! stub
use crate::upstream::Options;
/// c
#[derive(Debug, Default)]
pub struct Config { /// o
 pub upstream: Options, /// h
 pub history: History, /// l
 pub limits: Limits }
/// r
#[derive(Debug)]
pub struct Route<'a> { /// m
 pub model: &'a str, /// o
 pub options: &'a Options, /// r
 pub route: Option<&'a str> }
impl Config { /// r
 pub fn route<'a>(&'a self, model: &'a str) -> Route<'a> { Route { model, options: &self.upstream, route: None } } }
/// h
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum History { /// s
 #[default] Strict, /// r
 Repair }
/// l
#[derive(Debug, Clone, Copy)]
pub struct Limits { /// r
 pub request_bytes: usize, /// r
 pub reply_bytes: usize, /// e
 pub event_bytes: usize }
impl Default for Limits { fn default() -> Self { Self { request_bytes: 1<<26, reply_bytes: 1<<26, event_bytes: 1<<23 } } }

impl Config { /// p
 pub fn parse(_: &[u8]) -> Result<Self, String> { Ok(Self::default()) } }
