//! Arrows: default routes from subnets to their NAT, from there to the internet; requests from load balancers
//! to instances.
use super::{
    draw::{Line, Sheet},
    region::Plan,
    surroundings,
};
use crate::diagram::picture::Exit;
use aws_core::model::Layer;

pub(super) fn draw(sheet: &mut Sheet, plan: &Plan) {
    if plan.rows.is_empty() {
        return;
    }
    to_nat(sheet, plan);
    to_internet(sheet, plan);
    requests(sheet, plan);
}

/// From the inner layers' subnets along their zone's rail to the NAT, wherever that stands.
fn to_nat(sheet: &mut Sheet, plan: &Plan) {
    // Between the public layer and the next one.
    let Some(bus) = plan.rows.first().map(|r| r.band.bottom() + 11.0) else { return };
    for (column, zone) in plan.region.zones.iter().enumerate() {
        for row in &plan.rows {
            let exit = plan.region.cell(row.layer, &zone.name).into_iter().find_map(|s| match s.exit {
                Exit::Nat(n) => Some(n),
                _ => None,
            });
            let Some(nat) = exit.and_then(|n| plan.nat(n)) else { continue };
            let target = exit.and_then(|n| plan.column_of(&plan.region.nats[n].zone)).unwrap_or(column);
            let cell = plan.cell(row, column);
            let (rail, y) = (plan.rail(column), cell.y + 17.0);
            let mut points = vec![(cell.x, y), (rail, y)];
            if target != column {
                points.extend([(rail, bus), (plan.rail(target), bus)]);
            }
            points.extend([(plan.rail(target), nat.middle()), (nat.x - 1.0, nat.middle())]);
            sheet.line(&points, Line::Route, true);
            sheet.joint(cell.x, y, Line::Route);
        }
    }
}

/// From NATs and public subnets to the internet gateway.
fn to_internet(sheet: &mut Sheet, plan: &Plan) {
    if !plan.region.internet {
        return;
    }
    let (gateway, bus) = (surroundings::internet_gateway(plan), plan.vpc.y + 44.0);
    let centre = gateway.x + gateway.w / 2.0;
    for row in &plan.rows {
        for (column, zone) in plan.region.zones.iter().enumerate() {
            let subnets = plan.region.cell(row.layer, &zone.name);
            if !subnets.iter().any(|s| s.exit == Exit::Internet) {
                continue;
            }
            let cell = plan.cell(row, column);
            // Straight up where the gateway is nearly above: no kink.
            let beside = cell.right() - 26.0;
            let x = if (beside - centre).abs() < 30.0 { centre.min(cell.right() - 10.0) } else { beside };
            let nat = (0..plan.region.nats.len())
                .filter(|n| row.layer == Layer::Public && plan.region.nats[*n].zone == zone.name)
                .find_map(|n| plan.nat(n));
            let start = nat.map_or(cell.y, |n| n.y);
            sheet.line(&[(x, start), (x, bus), (centre, bus), (centre, gateway.bottom() + 1.0)], Line::Route, true);
            sheet.joint(x, start, Line::Route);
        }
    }
}

/// From the load balancers of a layer to the instances behind them.
fn requests(sheet: &mut Sheet, plan: &Plan) {
    for row in &plan.rows {
        let Some((_, from)) = plan.bars(row.layer, 0) else { continue };
        let own = || plan.region.balancers.iter().filter(|b| b.layer == row.layer);
        for target in &plan.rows {
            let pair = plan.region.applications.iter().find_map(|a| {
                let balancer = own().find(|b| b.name == a.name && a.layer == target.layer)?;
                Some((balancer, a))
            });
            let Some((balancer, application)) = pair else { continue };
            let Some((to, _)) = plan.bars(target.layer, 1) else { continue };
            if to <= from {
                continue;
            }
            let right = plan.span(&balancer.zones).1.min(plan.span(&application.zones).1);
            // Those of the public layer beside those of the shared one.
            let x = right - if row.layer == Layer::Public { 34.0 } else { 22.0 };
            sheet.line(&[(x, from), (x, to - 1.0)], Line::Requests, true);
        }
    }
}
