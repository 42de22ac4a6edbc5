use super::*;
#[test]
fn show_me() {
    let layout = |text: &str| if text == "log4j" { Ok(()) } else { Err(format!("unknown layout \"{text}\"")) };
    for case in std::fs::read_to_string("/tmp/config_cases.txt").unwrap().split("===\n") {
        println!("{case}==>");
        match parse("f.toml", case, &layout) {
            Ok(_) => println!("OK!!!!"),
            Err(problems) => for p in problems { println!("{p}"); },
        }
        println!("---");
    }
    print!("{}", document(&Settings::default()));
    assert_eq!(parse("f.toml", &document(&Settings::default()), &layout), Ok(Settings::default()));
}
