use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::Vault;

/// A script that goes when the test ends.
struct Script(PathBuf);

impl Script {
    fn new(text: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("lindung-command-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
        let path = std::env::temp_dir().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        Script(path)
    }

    /// Through `sh`, since a script just written may be busy while another test starts a process.
    fn keys(&self, limit: Duration) -> Result<CommandKeys, Error> {
        CommandKeys::within(&format!("sh {}", self.0.display()), limit)
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        fs::remove_file(&self.0).ok();
    }
}

/// "Wraps" by putting version and place behind the key; counts its calls in a file beside it.
const TOY: &str = r#"
echo "$1" >>"$0.calls"
case $1 in
  versions) echo 1 2 ;;
  wrap) read -r key; read -r place; printf '%s' "$2 $key $place" | base64 -w0 ;;
  unwrap) read -r wrapped; read -r place; set -- "$2" $(printf '%s' "$wrapped" | base64 -d) "$place"
    [ "$1" = "$2" ] && [ "$4" = "$5" ] && printf '%s' "$3" ;;
  index) printf '%032d' "$2" | base64 -w0 ;;
esac
"#;

fn place(child: u8) -> Place {
    Place::new("child_keys", "wrapped", &[&[child]])
}

#[test]
fn a_command_wraps_unwraps_and_indexes() {
    let script = Script::new(TOY);
    let vault = Vault::new(script.keys(TIME_LIMIT).unwrap()).unwrap();
    let (key, wrapped) = vault.new_key(&place(1)).unwrap();
    assert_eq!(wrapped.version, 2);
    let sealed = key.seal(&place(1), b"x").unwrap();
    let calls = || fs::read_to_string(script.0.with_extension("calls")).unwrap().matches("unwrap").count();
    let before = calls();
    for _ in 0..3 {
        assert_eq!(vault.unwrap(&wrapped, &place(1)).unwrap().open(&place(1), &sealed).unwrap(), b"x");
    }
    assert_eq!(calls(), before + 1, "what was unwrapped is remembered");
    assert_eq!(vault.unwrap_afresh(&wrapped, &place(2)).err(), Some(Error::Command("failed")));
    assert_eq!(vault.unwrap(&Wrapped { version: 3, ..wrapped }, &place(1)).err(), Some(Error::NoVersion(3)));
    assert_eq!(vault.tokens("mykid", "1").unwrap().len(), 2);
    fs::remove_file(script.0.with_extension("calls")).unwrap();
}

#[test]
fn a_command_that_does_not_answer_as_it_should_is_refused() {
    for (text, why) in [
        ("exit 1", "failed"),
        ("echo", "tells no versions"),
        ("echo 1 two", "tells no versions"),
        ("echo 0", "tells no versions"),
        ("head -c 70000 /dev/zero | tr '\\0' 1", "printed too much, or no text"),
        ("printf '\\377'", "printed too much, or no text"),
        ("exec tail -f /dev/null", "took too long"),
        ("exec >/dev/null; exec tail -f /dev/null", "took too long"),
    ] {
        let found = Script::new(text).keys(Duration::from_millis(400)).err();
        assert_eq!(found, Some(Error::Command(why)), "{text}");
    }
    assert_eq!(CommandKeys::new("/nowhere/at/all").err(), Some(Error::Command("cannot be run")));
    assert_eq!(CommandKeys::new(" ").err(), Some(Error::Command("is empty")));
}
