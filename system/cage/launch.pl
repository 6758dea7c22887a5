#!/usr/bin/perl
# Puts this process into a cage, then becomes the program after `--`. The process keeps its pid, its signals and its
# descriptors. It needs no root and no module of Perl that a minimal Debian does not have.
#
#   perl launch.pl OPTION… -- PROGRAM ARGUMENT…
#   perl launch.pl --arch=x64 --probe
#
# Every layer that an option asks for must hold: otherwise nothing runs, and the exit code is 126.
# See docs/decisions for the reasons, and SECURITY.md for what each layer refuses.
use strict;
use warnings;

# Numbers of system calls that differ from one processor to another; those of Landlock are the same everywhere.
my %NUMBERS = (
    x64 => {
        audit => 0xC000003E, prctl => 157, prlimit64 => 302, seccomp => 317, socket => 41, socketpair => 53,
        clone => 56, clone3 => 435, sendto => 44, sendmsg => 46, sendmmsg => 307, setpriority => 141, utimensat => 280,
        sched_setparam => 142, sched_setscheduler => 144, sched_setaffinity => 203, sched_setattr => 314,
        ioprio_set => 251, migrate_pages => 256, move_pages => 279,
        setsid => 112, setpgid => 109, ptrace => 101, process_vm_readv => 310, process_vm_writev => 311, kcmp => 312,
        unshare => 272, setns => 308, mount => 165, umount2 => 166, pivot_root => 155, chroot => 161,
        bpf => 321, perf_event_open => 298, userfaultfd => 323, keyctl => 250, add_key => 248, request_key => 249,
        init_module => 175, finit_module => 313, delete_module => 176, kexec_load => 246, kexec_file_load => 320,
        reboot => 169, swapon => 167, swapoff => 168, syslog => 103, quotactl => 179, acct => 163,
        settimeofday => 164, clock_settime => 227, clock_adjtime => 305, adjtimex => 159, sethostname => 170,
        setdomainname => 171, open_by_handle_at => 304, iopl => 172, ioperm => 173,
        chmod => 90, fchmodat => 268, chown => 92, lchown => 94, fchown => 93, fchownat => 260,
        setxattr => 188, lsetxattr => 189, fsetxattr => 190, removexattr => 197, lremovexattr => 198,
        fremovexattr => 199, utime => 132, utimes => 235, futimesat => 261, mknod => 133, mknodat => 259,
    },
    arm64 => {
        audit => 0xC00000B7, prctl => 167, prlimit64 => 261, seccomp => 277, socket => 198, socketpair => 199,
        clone => 220, clone3 => 435, sendto => 206, sendmsg => 211, sendmmsg => 269, setpriority => 140,
        utimensat => 88, sched_setparam => 118, sched_setscheduler => 119, sched_setaffinity => 122,
        sched_setattr => 274, ioprio_set => 30, migrate_pages => 238, move_pages => 239,
        setsid => 157, setpgid => 154, ptrace => 117, process_vm_readv => 270, process_vm_writev => 271, kcmp => 272,
        unshare => 97, setns => 268, mount => 40, umount2 => 39, pivot_root => 41, chroot => 51,
        bpf => 280, perf_event_open => 241, userfaultfd => 282, keyctl => 219, add_key => 217, request_key => 218,
        init_module => 105, finit_module => 273, delete_module => 106, kexec_load => 104, kexec_file_load => 294,
        reboot => 142, swapon => 224, swapoff => 225, syslog => 116, quotactl => 60, acct => 89,
        settimeofday => 170, clock_settime => 112, clock_adjtime => 266, adjtimex => 171, sethostname => 161,
        setdomainname => 162, open_by_handle_at => 265,
        fchmodat => 53, fchown => 55, fchownat => 54,
        setxattr => 5, lsetxattr => 6, fsetxattr => 7, removexattr => 14, lremovexattr => 15, fremovexattr => 16,
        mknodat => 33,
    },
);
# Newer calls have one number on all processors.
my %NEW = (
    pidfd_getfd => 438, process_madvise => 440, process_mrelease => 448, open_tree => 428, move_mount => 429,
    fsopen => 430, fsconfig => 431, fsmount => 432, fspick => 433, mount_setattr => 442, fchmodat2 => 452,
    setxattrat => 463, removexattrat => 466, file_setattr => 469, quotactl_fd => 443,
);
# Ways to another process, besides those that threads need too.
my %FORKS = (x64 => [57, 58], arm64 => []);
my %ABSENT = (clone3 => 435, io_uring_setup => 425, io_uring_enter => 426, io_uring_register => 427);

my ($CREATE_RULESET, $ADD_RULE, $RESTRICT_SELF) = (444, 445, 446);
my ($EPERM, $EACCES, $ENOSYS, $ENOENT, $ENOTDIR) = (1, 13, 38, 2, 20);
my $O_PATH = 0x200000 | 0x80000;

my %RIGHT = (
    execute => 1 << 0, write_file => 1 << 1, read_file => 1 << 2, read_dir => 1 << 3, remove_dir => 1 << 4,
    remove_file => 1 << 5, make_char => 1 << 6, make_dir => 1 << 7, make_reg => 1 << 8, make_sock => 1 << 9,
    make_fifo => 1 << 10, make_block => 1 << 11, make_sym => 1 << 12, refer => 1 << 13, truncate => 1 << 14,
    ioctl_dev => 1 << 15,
);
sub rights { my $mask = 0; $mask |= $RIGHT{$_} for @_; return $mask }
my $READ = rights(qw(execute read_file read_dir));
my $WRITE = $READ | rights(qw(write_file remove_dir remove_file make_dir make_reg make_fifo make_sym refer truncate));
my $OF_A_FILE = rights(qw(execute write_file read_file truncate));

my (%asked, %limit, @read, @write, @connect, @listen, @command);
my ($arch, $abi, $probe, $alone) = ('', 0, 0, 0);
while (@ARGV) {
    my $option = shift @ARGV;
    if ($option eq '--') { @command = @ARGV; last }
    elsif ($option eq '--probe') { $probe = 1 }
    elsif ($option eq '--alone') { $alone = 1 }
    elsif ($option =~ /^--arch=(\w+)$/) { $arch = $1 }
    elsif ($option =~ /^--abi=(\d+)$/) { $abi = $1 }
    elsif ($option =~ /^--layer=(files|ports|signals|calls)$/) { $asked{$1} = 1 }
    elsif ($option =~ /^--limit=(\d+):(\d+)$/) { $limit{$1} = $2 }
    elsif ($option =~ /^--connect=(\d+)$/) { push @connect, $1 }
    elsif ($option =~ /^--listen=(\d+)$/) { push @listen, $1 }
    elsif ($option =~ /^--read=(.+)$/s) { push @read, $1 }
    elsif ($option =~ /^--write=(.+)$/s) { push @write, $1 }
    else { refuse("unknown option $option") }
}

sub refuse { print STDERR "Error: the cage cannot be closed: $_[0]\n"; exit 126 }

my $number = $NUMBERS{$arch} or refuse("no numbers of system calls for $arch");

sub keep_privileges_down {
    my @rest = (0, 0, 0);
    syscall($number->{prctl}, 38, 1, @rest) == 0 or return 0; # PR_SET_NO_NEW_PRIVS
    return 1;
}

# A program of root keeps what concerns files and users. With the others it could read the memory of any process, raise
# its limits, or load code into the kernel.
sub drop_capabilities {
    my %kept = map { $_ => 1 } (0, 1, 2, 3, 4, 6, 7, 10);
    my @rest = (0, 0, 0);
    # PR_CAPBSET_DROP; the kernel says EINVAL after its last one.
    for my $capability (0 .. 63) {
        next if $kept{$capability};
        syscall($number->{prctl}, 24, $capability, @rest) == 0 or last;
    }
}

sub landlock_abi {
    my $found = syscall($CREATE_RULESET, 0, 0, 1);
    return $found > 0 ? $found : 0;
}

sub add_path {
    my ($ruleset, $path, $wanted) = @_;
    my $fd;
    unless (sysopen($fd, $path, $O_PATH)) {
        # A machine need not have each place that a program may read.
        return if $! == $ENOENT || $! == $ENOTDIR;
        refuse("$path: $!");
    }
    my $mask = -d $fd ? $wanted : $wanted & $OF_A_FILE;
    my $rule = pack('Ql', $mask, fileno($fd));
    my $flags = 0;
    syscall($ADD_RULE, $ruleset, 1, $rule, $flags) == 0 or refuse("$path: $!");
}

sub add_port {
    my ($ruleset, $port, $mask) = @_;
    my $rule = pack('QQ', $mask, $port + 0);
    my $flags = 0;
    syscall($ADD_RULE, $ruleset, 2, $rule, $flags) == 0 or refuse("port $port: $!");
}

sub close_landlock {
    my ($version) = @_;
    my $known = $version >= 5 ? 16 : $version >= 3 ? 15 : $version >= 2 ? 14 : 13;
    my $files = $asked{files} ? (1 << $known) - 1 : 0;
    my $ports = $asked{ports} ? 3 : 0;
    my $scope = $asked{signals} ? 3 : 0;
    # A kernel takes the structure of its version.
    my $size = $version >= 6 ? 24 : $version >= 4 ? 16 : 8;
    my $attributes = substr(pack('QQQ', $files, $ports, $scope), 0, $size);
    my $flags = 0;
    my $ruleset = syscall($CREATE_RULESET, $attributes, $size, $flags);
    $ruleset >= 0 or refuse("Landlock: $!");
    if ($asked{files}) {
        add_path($ruleset, $_, $READ & $files) for @read;
        add_path($ruleset, $_, $WRITE & $files) for @write;
    }
    if ($asked{ports}) {
        add_port($ruleset, $_, 2) for @connect;
        add_port($ruleset, $_, 1) for @listen;
    }
    syscall($RESTRICT_SELF, $ruleset, $flags) == 0 or refuse("Landlock: $!");
    my $handle;
    open($handle, '<&=', $ruleset) and close($handle);
}

# One instruction of the filter: code, jump if true, jump if false, value.
sub op { return pack('SCCL', @_) }
my ($LOAD, $EQUAL, $AT_LEAST, $HAS_BITS, $RETURN) = (0x20, 0x15, 0x35, 0x45, 0x06);
my $ALLOW = 0x7FFF0000;
sub fail { return op($RETURN, 0, 0, 0x00050000 | $_[0]) }
# The low half of an argument of the call; all arguments below are ints.
sub load_argument { return op($LOAD, 0, 0, 16 + 8 * $_[0]) }

# Refuses a call if `test` (a few instructions that end with `fail`) says so.
sub for_call {
    my ($nr, @test) = @_;
    return (op($EQUAL, 0, scalar(@test) + 1, $nr), @test, op($RETURN, 0, 0, $ALLOW));
}

sub only_values {
    my ($argument, $errno, @values) = @_;
    my @code = (load_argument($argument));
    for my $i (0 .. $#values) { push @code, op($EQUAL, $#values - $i + 1, 0, $values[$i]) }
    return (@code, fail($errno));
}

sub no_bits {
    my ($argument, $errno, $bits) = @_;
    return (load_argument($argument), op($HAS_BITS, 0, 1, $bits), fail($errno));
}

sub call_filter {
    my %of = %$number;
    my @code = (op($LOAD, 0, 0, 4), op($EQUAL, 1, 0, $of{audit}), fail($EPERM), op($LOAD, 0, 0, 0));
    # The second table of numbers of x86-64 has the same calls.
    push @code, op($AT_LEAST, 0, 1, 0x40000000), fail($EPERM) if $arch eq 'x64';
    # No socket and no process: what loads code outside of a broker needs neither. A thread is made by clone too.
    if ($alone) {
        push @code, op($EQUAL, 0, 1, $of{socket}), fail($EACCES);
        push @code, op($EQUAL, 0, 1, $_), fail($EPERM) for @{ $FORKS{$arch} };
        push @code, op($EQUAL, 0, 3, $of{clone}), load_argument(0), op($HAS_BITS, 1, 0, 0x10000), fail($EPERM);
        push @code, op($LOAD, 0, 0, 0);
    }
    # Internet and the list of network interfaces; only protocols that the layer of ports sees.
    push @code, for_call($of{socket}, only_values(0, $EACCES, 2, 10, 16), only_values(2, $EACCES, 0, 1, 6, 17, 58));
    push @code, for_call($of{socketpair}, only_values(0, $EACCES, 1));
    push @code, for_call($of{clone}, no_bits(0, $EPERM, 0x7E020000));
    # A fast open connects without a connect.
    push @code, for_call($of{sendto}, no_bits(3, $EPERM, 0x20000000));
    push @code, for_call($of{sendmsg}, no_bits(2, $EPERM, 0x20000000));
    push @code, for_call($of{sendmmsg}, no_bits(3, $EPERM, 0x20000000));
    # Its own process only.
    push @code, for_call($of{$_}, only_values(0, $EPERM, 0))
      for qw(prlimit64 sched_setparam sched_setscheduler sched_setaffinity sched_setattr migrate_pages move_pages);
    push @code, for_call($of{setpriority}, only_values(0, $EPERM, 0), only_values(1, $EPERM, 0));
    push @code, for_call($of{ioprio_set}, only_values(0, $EPERM, 1), only_values(1, $EPERM, 0));
    # By a descriptor, not by a path. Both halves of the pointer count.
    push @code, for_call($of{utimensat}, only_values(1, $EPERM, 0), op($LOAD, 0, 0, 28), op($EQUAL, 1, 0, 0), fail($EPERM));
    my %named = map { $_ => 1 } qw(audit prctl prlimit64 seccomp socket socketpair clone clone3 sendto sendmsg sendmmsg
      setpriority utimensat sched_setparam sched_setscheduler sched_setaffinity sched_setattr ioprio_set migrate_pages
      move_pages);
    push @code, op($EQUAL, 0, 1, $ABSENT{$_}), fail($ENOSYS) for sort keys %ABSENT;
    push @code, op($EQUAL, 0, 1, $NEW{$_}), fail($EPERM) for sort keys %NEW;
    push @code, op($EQUAL, 0, 1, $of{$_}), fail($EPERM) for grep { !$named{$_} } sort keys %of;
    push @code, op($RETURN, 0, 0, $ALLOW);
    return @code;
}

sub close_calls {
    my @code = call_filter();
    my $filter = join('', @code);
    my $program = pack('S x6 P' . length($filter), scalar(@code), $filter);
    # SECCOMP_SET_MODE_FILTER, without the slower memory that older kernels give with a filter.
    my ($mode, $flags) = (1, 4);
    return syscall($number->{seccomp}, $mode, $flags, $program) == 0;
}

if ($probe) {
    my $privileges = keep_privileges_down();
    my $version = $privileges ? landlock_abi() : 0;
    my $calls = $privileges && close_calls() ? 1 : 0;
    print "abi=$version calls=$calls\n";
    exit 0;
}

for my $kind (sort keys %limit) {
    my ($self, $now) = (0, pack('QQ', 0, 0));
    syscall($number->{prlimit64}, $self, $kind + 0, 0, $now) == 0 or refuse("limit $kind: $!");
    my (undef, $hard) = unpack('QQ', $now);
    my $value = $limit{$kind} < $hard ? $limit{$kind} + 0 : $hard;
    my $new = pack('QQ', $value, $value);
    syscall($number->{prlimit64}, $self, $kind + 0, $new, 0) == 0 or refuse("limit $kind: $!");
}
drop_capabilities() if $> == 0;
keep_privileges_down() or refuse("no_new_privs: $!");
close_landlock($abi) if $asked{files} || $asked{ports} || $asked{signals};
!$asked{calls} || close_calls() or refuse("seccomp: $!");

delete $ENV{PERL_BADLANG};
{ no warnings 'exec'; exec { $command[0] } @command }
print STDERR "Error: $command[0] cannot be run: $!\n";
exit 127;
