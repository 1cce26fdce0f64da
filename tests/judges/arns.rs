//! Whether a pattern of a policy and the ARN format of a resource type have an ARN in common.

/// A piece of a pattern or of an ARN format.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    Is(char),
    /// `?`: any one character.
    One,
    /// `*`: any characters.
    Any,
    /// A name in an ARN format: any characters but slashes.
    Name,
}

/// `pattern` as policies write it (`arn:aws:iam::123456789012:role/app-*`), `format` as AWS's reference does
/// (`arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}`).
pub(super) fn meet(pattern: &str, format: &str) -> bool {
    // ARNs have six parts; colons in the last one belong to it.
    let (mut ours, mut theirs) = (pattern.splitn(6, ':'), format.splitn(6, ':'));
    if pattern == "*" {
        return true;
    }
    loop {
        match (ours.next(), theirs.next()) {
            (None, None) => return true,
            (Some(ours), Some(theirs)) if common(&of_pattern(ours), &of_format(theirs)) => {}
            // `*` and `arn:aws:s3*` reach over the parts that follow.
            (Some(ours), _) if ours.ends_with('*') && !pattern.starts_with("arn:") => return true,
            _ => return false,
        }
    }
}

fn of_pattern(text: &str) -> Vec<Piece> {
    let piece = |c| match c {
        '*' => Piece::Any,
        '?' => Piece::One,
        c => Piece::Is(c),
    };
    text.chars().map(piece).collect()
}

fn of_format(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        pieces.extend(before.chars().map(Piece::Is));
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        // Names of buckets have no slashes; paths and the names of objects and log groups do.
        let inner = after.starts_with('/') && !name.contains("Path");
        pieces.push(if inner || name == "BucketName" { Piece::Name } else { Piece::Any });
        rest = after;
    }
    pieces.extend(rest.chars().map(Piece::Is));
    pieces
}

/// Whether some text fits both.
fn common(a: &[Piece], b: &[Piece]) -> bool {
    // `reached[i]`: the first `i` pieces of `a` and the pieces of `b` so far have a text in common.
    let mut table = vec![vec![false; b.len() + 1]; a.len() + 1];
    table[0][0] = true;
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            if !table[i][j] {
                continue;
            }
            let (x, y) = (a.get(i).copied(), b.get(j).copied());
            let long = |p: Option<Piece>| matches!(p, Some(Piece::Any | Piece::Name));
            // What takes any number of characters may take none, ..
            if long(x) {
                table[i + 1][j] = true;
            }
            if long(y) {
                table[i][j + 1] = true;
            }
            // .. or those of the other side's next piece; two characters have to be the same.
            if let (Some(x), Some(y)) = (x, y)
                && fits(x, y)
            {
                match (long(Some(x)), long(Some(y))) {
                    (true, true) => {}
                    (true, false) => table[i][j + 1] = true,
                    (false, true) => table[i + 1][j] = true,
                    (false, false) => table[i + 1][j + 1] = true,
                }
            }
        }
    }
    table[a.len()][b.len()]
}

fn fits(x: Piece, y: Piece) -> bool {
    match (x, y) {
        (Piece::Is(a), Piece::Is(b)) => a == b,
        (Piece::Name, Piece::Is(c)) | (Piece::Is(c), Piece::Name) => c != '/',
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::meet;

    const ROLE: &str = "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}";
    const BUCKET: &str = "arn:${Partition}:s3:::${BucketName}";
    const OBJECT: &str = "arn:${Partition}:s3:::${BucketName}/${ObjectName}";
    const STREAM: &str =
        "arn:${Partition}:logs:${Region}:${Account}:log-group:${LogGroupName}:log-stream:${LogStreamName}";
    const LISTENER: &str = "arn:${Partition}:elasticloadbalancing:${Region}:${Account}:listener/app/${LoadBalancerName}/${LoadBalancerId}/${ListenerId}";

    #[test]
    fn patterns_and_formats_that_have_an_arn_in_common() {
        for (pattern, format) in [
            ("*", ROLE),
            ("arn:aws:iam::123456789012:role/app-*", ROLE),
            ("arn:aws:iam::123456789012:role/aws-service-role/*", ROLE),
            ("arn:aws:iam::*:role/overlord-?", ROLE),
            ("arn:aws:s3:::trail", BUCKET),
            ("arn:aws:s3:::trail/*", OBJECT),
            ("arn:aws:s3:::trail/AWSLogs/1/*", OBJECT),
            ("arn:aws:s3:::*", OBJECT),
            ("arn:aws:logs:*:1:log-group:/minion/*", STREAM),
            ("arn:aws:logs:*:1:log-group:/minion/vpc-*/history*", STREAM),
            ("arn:aws:logs:*:1:log-group:/minion/x:*", STREAM),
            ("arn:aws:elasticloadbalancing:*:1:listener/app/app-*", LISTENER),
            ("arn:aws:ec2:*:1:*/*", "arn:${Partition}:ec2:${Region}:${Account}:instance/${InstanceId}"),
        ] {
            assert!(meet(pattern, format), "{pattern} and {format}");
        }
    }

    #[test]
    fn those_that_have_none() {
        for (pattern, format) in [
            ("arn:aws:iam::123456789012:user/app-*", ROLE),
            ("arn:aws:iam::123456789012:rol", ROLE),
            ("arn:aws:s3:::trail/*", BUCKET),
            ("arn:aws:s3:::trail", OBJECT),
            ("arn:aws:logs:*:1:log-group:/minion/x", STREAM),
            ("arn:aws:elasticloadbalancing:*:1:listener/net/app-*", LISTENER),
            ("arn:aws:elasticloadbalancing:*:1:listener/app/app-x/y", LISTENER),
            ("arn:aws:ssm:*:1:parameter/minion/*", "arn:${Partition}:ec2:${Region}:${Account}:instance/${InstanceId}"),
        ] {
            assert!(!meet(pattern, format), "{pattern} and {format}");
        }
    }
}
