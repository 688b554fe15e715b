//! Pushes to each token of the command line: PORT CA KEY TOKEN... Prints status and reason of each answer.
use a2::{Client, ClientConfig, DefaultNotificationBuilder, Error, NotificationBuilder, NotificationOptions};
use std::{env, fs::File};

#[tokio::main]
async fn main() {
    let args: Vec<String> = env::args().collect();
    env::set_var("SIMULATOR_CA", &args[2]);
    let key = File::open(&args[3]).unwrap();
    let client = Client::token(key, "KEYID12345", "TEAMID1234", ClientConfig::default()).unwrap();
    for token in &args[4..] {
        let options = NotificationOptions { apns_topic: Some("org.example.app"), ..Default::default() };
        let push = DefaultNotificationBuilder::new().set_body("hello").build(token, options);
        match client.send(push).await {
            Ok(answer) => println!("{}", answer.code),
            Err(Error::ResponseError(answer)) => {
                println!("{} {:?}", answer.code, answer.error.unwrap().reason)
            }
            Err(error) => println!("{error:?}"),
        }
    }
}
