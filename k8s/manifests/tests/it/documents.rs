//! What people are told to type is what the manifests and the scripts need.

use manifests::references::SECRETS;

use crate::ROOT;

#[test]
fn secrets_that_the_user_makes_are_in_a_readme() {
    let mut readmes = String::new();
    let mut folders = vec![ROOT.join("k8s")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)
            .expect("a folder")
            .filter_map(Result::ok)
        {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.ends_with("README.md") {
                readmes += &std::fs::read_to_string(path).expect("a README");
            }
        }
    }
    for (namespace, name, keys) in SECRETS {
        let command = format!("kubectl -n {namespace} create secret generic {name} ");
        let line = readmes.lines().find(|line| line.starts_with(&command));
        let line = line.unwrap_or_else(|| panic!("no README has `{command}`"));
        for key in keys {
            assert!(line.contains(&format!("--from-literal={key}=")), "{line}");
        }
    }
}

#[test]
fn every_command_of_the_walkthrough_stands_in_its_script() {
    let read = |name: &str| std::fs::read_to_string(ROOT.join("docs").join(name)).expect("a file");
    let (page, script) = (read("walkthrough.md"), read("walkthrough.sh"));
    let mut commands = 0;
    for block in page.split("```sh\n").skip(1) {
        let (block, _) = block.split_once("```").expect("the end of the block");
        for command in block.lines().filter(|line| !line.is_empty()) {
            assert!(script.contains(command), "not in walkthrough.sh: {command}");
            commands += 1;
        }
    }
    assert!(commands > 20, "{commands} commands");
}
