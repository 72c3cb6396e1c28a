// The parts that go into the enclosure, as simple bodies for the views, and the figures that the enclosure is made from.
// All in mm. [D]: from the maker's mechanical drawing or data sheet; [M]: published measurements of bought pieces;
// [A]: assumed, measure yours. The list with its sources: enclosure.md.

// Boards: size, hole distances and first hole from the corner, drill for the screw.
zero_size = [30, 65];      // [D] upright: width, height
zero_holes = [23, 58];     // [D]
pi4_size = [56, 85];       // [D]
pi4_holes = [49, 58];      // [D] the 58 begins 3.5 from the card's edge
hole_edge = 3.5;           // [D] both
pcb = 1.5;                 // [D] 1.4 to 1.6

cam_size = [25, 23.862];   // [D] Camera Module 2 and 3
cam_holes = [21, 12.5];    // [D] 2 mm from the top and the sides
cam_lens_down = 14.4;      // [D] lens axis from the top edge
cam_deep = cam == "2" ? 9 : cam == "3" ? 11.5 : 12.4;  // [D] the whole module
cam_behind = 2.6;          // [A] of it behind the board: the ribbon's connector
cam_pcb = 1.0;             // [A]
cam_front = cam_deep - cam_behind - cam_pcb;           // board's front to the lens's front
cam_view = cam == "2" ? [62.2, 48.8] : cam == "3" ? [66, 41] : [102, 67];  // [D] degrees across and up
cam_pupil = 5;             // [A] diameter of the lens's opening

am312_lens_d = 12.5;       // [M]
am312_lip_d = 14.2;        // [M]
am312_lip = 0.4;           // [M]
am312_length = 20;         // [M] behind the lip, with its pins
sr501_size = [32, 24];     // [D]
sr501_holes = 28;          // [D] M2
sr501_dome_d = 23;         // [D]

perf_size = [30, 70];      // [A] usual perforated board; holes 2 mm from its edges
perf_holes = [26, 66];     // [A]
buck_size = [21, 43];      // [A] LM2596 module, 14 high

module board(size, colour) color(colour) translate([0, 0, pcb / 2]) cube([size[0], size[1], pcb], center = true);

module pins40(x, y) color("black") translate([x, y, pcb]) translate([-2.54, -25.4, 0]) cube([5.08, 50.8, 8.5]);

// Upright: the card's edge down, the camera connector up, the header on the left.
module zero() {
  board(zero_size, "darkgreen");
  pins40(-11.5, 0);
  color("silver") translate([-4, -32.5, pcb]) cube([12, 15.5, 1.4]);              // card
  color("dimgray") translate([-5, -8, pcb]) cube([14, 14, 1.2]);                   // processor
  color("ivory") translate([-8.5, 28.5, pcb]) cube([17, 4.5, 1.3]);                // camera connector
  color("silver") for (y = [-20.5, 8.7, 21.4]) translate([9.5, y - 4, pcb]) cube([6, 8, 3]);
}

module pi4() {
  board(pi4_size, "darkgreen");
  translate([-24.5, -10, 0]) pins40(0, 0);
  color("silver") for (x = [-18.75, -0.75, 17.5]) translate([x - 7.5, 27, pcb]) cube([15, 18, x > 10 ? 13.5 : 16]);
  color("silver") translate([20, -36, pcb]) cube([8.5, 9, 3.2]);
  color("dimgray") translate([-10, -21, pcb]) cube([15, 15, 2.4]);
  color("ivory") translate([6, 1, pcb]) cube([22, 4, 5.5]);
}

module perf() {
  board(perf_size, "peru");
  color("royalblue") translate([-9, 8, pcb]) cube([15.5, 19, 15.5]);               // relay
  color("black") translate([3, -3, pcb]) cylinder(d = 12, h = 9);                  // buzzer
  color("limegreen") for (y = [-32, -22]) translate([-13, y, pcb]) cube([6, 8, 8]);
  color("limegreen") for (y = [-32, -22]) translate([7, y, pcb]) cube([6, 8, 8]);
  color("dimgray") for (y = [-20, -13]) translate([-3, y, pcb]) cube([4.5, 4, 5]);
}

module buck() {
  board(buck_size, "navy");
  color("dimgray") translate([-6, -6, pcb]) cube([12, 12, 7]);
  color("silver") for (y = [-15, 15]) translate([0, y, pcb]) cylinder(d = 8, h = 11);
}

// Lens at the origin looking to +z, z = 0 the lens's front; ribbon leaves downwards.
module camera() {
  translate([0, cam_lens_down - cam_size[1] / 2, -cam_front]) {
    color("green") translate([0, 0, -cam_pcb / 2]) cube([cam_size[0], cam_size[1], cam_pcb], center = true);
    color("ivory") translate([-10.5, -cam_size[1] / 2, -cam_pcb - cam_behind]) cube([21, 5.6, cam_behind]);
  }
  color("dimgray") translate([-5.5, -5.5, -cam_front]) cube([11, 11, cam_front - 2.5]);
  color("black") translate([0, 0, -2.5]) cylinder(d = 7, h = 2.5);
}

module ribbon(length) color("white") translate([-8, -length, 0]) cube([16, length, 0.3]);

module am312() {
  color("whitesmoke") intersection() {
    sphere(d = am312_lens_d);
    translate([-10, -10, 0]) cube([20, 20, 10]);
  }
  color("whitesmoke") translate([0, 0, -am312_lip]) cylinder(d = am312_lip_d, h = am312_lip);
  color("whitesmoke") translate([0, 0, -4]) cylinder(d = 10.4, h = 4);
  color("darkgreen") translate([-4, -0.5, -14]) cube([8, 1, 10]);
  color("gold") for (x = [-2.54, 0, 2.54]) translate([x - 0.3, -0.3, -am312_length]) cube([0.6, 0.6, 6]);
}

module sr501() {
  translate([0, 0, -2.5]) { 
    board(sr501_size, "darkgreen");
    color("whitesmoke") intersection() {
      translate([0, 0, pcb]) sphere(d = sr501_dome_d);
      translate([-20, -20, pcb]) cube([40, 40, 20]);
    }
  }
}

// Panel at z = 0, the head outside.
module push_button(d) {
  color("silver") difference() { cylinder(d = d + 4, h = 2.5); translate([0, 0, 2]) cylinder(d = d - 2, h = 1); }
  color("deepskyblue") translate([0, 0, 2]) difference() { cylinder(d = d - 2, h = 0.7); translate([0, 0, -1]) cylinder(d = d - 4.5, h = 3); }
  color("silver") cylinder(d = d - 5, h = 3);
  color("silver") translate([0, 0, -24]) cylinder(d = d - 0.6, h = 24);
  color("silver") translate([0, 0, -7.5]) cylinder(d = d + 3.5, h = 4, $fn = 6);
  color("dimgray") translate([0, 0, -30]) cylinder(d = d - 4, h = 6);
  color("gold") for (a = [0 : 72 : 359]) rotate(a) translate([d / 2 - 5, -1, -36]) cube([0.6, 2, 6]);
}

module led5() { color("red") { translate([0, 0, 0]) cylinder(d = 5, h = 3); translate([0, 0, 3]) sphere(d = 5); translate([0, 0, -1]) cylinder(d = 5.8, h = 1); } }

module screw(d, l) color("silver") { cylinder(d = d * 1.9, h = d * 0.9); translate([0, 0, -l]) cylinder(d = d, h = l); }
