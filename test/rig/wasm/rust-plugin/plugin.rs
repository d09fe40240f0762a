// A plugin as Higress' Rust ones are made: the SDK of Proxy-Wasm. It takes {"refuse": "a header"} without any JSON reader,
// and dies, logs or refuses as it is told.
use log::{error, info};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Trace);
    proxy_wasm::set_root_context(|_| Box::new(Root { header: String::new() }));
}}

struct Root {
    header: String,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        let bytes = self.get_plugin_configuration().unwrap_or_default();
        let text = String::from_utf8(bytes).expect("a configuration that is UTF-8");
        let words: Vec<&str> = text.split('"').collect();
        match words[..] {
            [_, "refuse", _, header, _] => {
                self.header = header.to_lowercase();
                info!("refuses requests with {}", self.header);
                true
            }
            [_, "panic", ..] => panic!("told to"),
            _ => {
                error!("configuration refused: refuse is missing");
                false
            }
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream { header: self.header.clone() }))
    }
}

struct Stream {
    header: String,
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        match self.get_http_request_header(&self.header).as_deref() {
            None => Action::Continue,
            Some("panic") => panic!("told to by a request"),
            Some(_) => {
                self.send_http_response(403, vec![], Some(b"refused by the Rust plugin"));
                Action::Pause
            }
        }
    }
}
