//! Names: of images, applications, versions, teams.
use crate::input::{assert_told, parts};
use aws_core::model::{
    ApplicationName, ImageRef, OrganizationName, TeamName, VersionName,
    names::{AppVersion, DNS_LABEL, LOAD_BALANCER, ROLE},
};
use minion::manifest::Manifest;
use url::Url;

/// What is accepted means one thing, to us as to those who get it.
pub fn fuzz(data: &[u8]) {
    let ([text, version], _) = parts(data);
    match text.parse::<ImageRef>() {
        Ok(reference) => image(&text, &reference),
        Err(e) => assert_told(&e, false),
    }
    match (text.parse::<ApplicationName>(), version.parse::<VersionName>()) {
        (Ok(application), Ok(version)) => application_version(application, version),
        (application, version) => {
            application.map_err(|e| assert_told(&e, false)).ok();
            version.map_err(|e| assert_told(&e, false)).ok();
        }
    }
    text.parse::<TeamName>().map_err(|e| assert_told(&e, false)).ok();
    text.parse::<OrganizationName>().map_err(|e| assert_told(&e, false)).ok();
}

/// The parts are the whole, and the registry is the very host that would be asked.
fn image(text: &str, image: &ImageRef) {
    assert_eq!(image.as_str(), text);
    let mut canonical = format!("{}/{}", image.registry(), image.repository());
    for (mark, part) in [(':', image.tag()), ('@', image.digest())] {
        canonical.extend(part.into_iter().flat_map(|part| [mark.to_string(), part.to_owned()]));
    }
    let again: ImageRef = canonical.parse().unwrap_or_else(|e| panic!("{text} is {canonical}: {e}"));
    assert_eq!(
        (again.registry(), again.repository(), again.tag(), again.digest()),
        (image.registry(), image.repository(), image.tag(), image.digest())
    );
    let path = format!("/v2/{}/manifests/x", image.repository());
    // A host that is none (`xn--a.b`) is refused when it is asked.
    let Ok(url) = Url::parse(&format!("https://{}{path}", image.registry())) else { return };
    assert_eq!((url.path(), url.query(), url.fragment()), (path.as_str(), None, None));
    assert_eq!((url.username(), url.password()), ("", None));
    assert!(text.bytes().all(|b| b.is_ascii_graphic()));
}

/// Every name on AWS is within its limit, and a name is never read as something else by YAML.
fn application_version(application: ApplicationName, version: VersionName) {
    assert_eq!(Manifest::bare(&application).application_name, application);
    assert!(application.role("ap-southeast-2").len() <= ROLE);
    let id = match AppVersion::new(application, version) {
        Ok(id) => id,
        Err(e) => return assert_told(&e, false),
    };
    assert!(id.label().len() <= DNS_LABEL);
    assert!(id.load_balancer().len() <= LOAD_BALANCER);
}
